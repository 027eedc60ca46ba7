package dispatcher

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// design.md §10, Shutdown: intake ends, exchanges on the wire are finished and written, nothing is begun.
func TestStopFinishesWhatIsInWork(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, c := newBox("a"), newBox("c")
		a.takes, c.takes = 10*time.Second, 10*time.Second
		c.script = []turn{{lost: true, err: errSilent}}
		c.blind = errNoLine
		b := started(t, a, c)
		one, two, waits := b.submit(), b.submit(), b.submit()
		b.is(one, fiscal.JobSending)
		b.is(two, fiscal.JobSending)
		done := make(chan error, 1)
		at := time.Now()
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			done <- b.Stop(ctx)
		}()
		synctest.Wait()
		_, _, err := b.Submit(t.Context(), order("late"))
		u := problem(t, err)
		require.Equal(t, "shutting_down", u.Code)
		require.Equal(t, fiscal.ClassUnavailable, u.Class)
		require.Positive(t, u.RetryAfter)
		b.Wake("a", 1)
		require.NoError(t, <-done)
		require.Equal(t, 10*time.Second, time.Since(at), "no longer than the receipts in work")
		states := []fiscal.JobState{b.disk(one), b.disk(two)}
		require.ElementsMatch(t, []fiscal.JobState{fiscal.JobMade, fiscal.JobInDoubt}, states,
			"a device that answers in time leaves no doubt; doubt is on disk for the next start")
		require.Equal(t, fiscal.JobQueued, b.disk(waits))
		require.Len(t, b.of("bytes"), 2)
		time.Sleep(time.Hour)
		require.Len(t, b.of("bytes"), 2)
		require.Len(t, b.journal.all(), 3, "the late one left nothing")
		require.ErrorIs(t, b.Alive(t.Context()), errStopped)
		require.Equal(t, fiscal.JobQueued, b.job(waits).State, "jobs can still be read")
		require.NoError(t, b.Stop(t.Context()), "a repeat has nothing to do")
		require.NotPanics(t, func() { b.Wake("a", 1) })
	})
}

// A receipt that gets stuck does not keep the daemon: it stays on disk as it is, and the next start asks.
func TestStopDoesNotWaitForever(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		hold := make(chan struct{})
		a.script = []turn{{until: hold}}
		b := started(t, a)
		id := b.submit()
		b.is(id, fiscal.JobSending)
		at := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		require.ErrorIs(t, b.Stop(ctx), context.DeadlineExceeded)
		require.Equal(t, 20*time.Second, time.Since(at))
		require.Equal(t, fiscal.JobSending, b.disk(id))
		close(hold)
		time.Sleep(time.Minute)

		next := over(t, b.fleet.again(&diary{}), b.journal.copy(&diary{}))
		require.NoError(t, next.Start(t.Context()))
		next.ends(id, fiscal.JobMade)
		require.Len(t, a.docs, 2)
	})
}

// Nor does a disk that takes no more writes.
func TestStopWithAFullDisk(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := started(t, a)
		id := b.submit()
		b.is(id, fiscal.JobSending)
		b.journal.full(true)
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		require.ErrorIs(t, b.Stop(ctx), context.DeadlineExceeded)
		require.Equal(t, fiscal.JobSending, b.disk(id), "not told, not written: the device will be asked")

		next := over(t, b.fleet.again(&diary{}), b.journal.copy(&diary{}))
		require.NoError(t, next.Start(t.Context()))
		next.ends(id, fiscal.JobMade)
		require.Len(t, a.docs, 2)
	})
}

// Those who wait for a job are let go.
func TestStopLetsWaitersGo(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := started(t)
		id := b.submit()
		var waiters sync.WaitGroup
		for range 3 {
			waiters.Go(func() {
				_, _ = b.Wait(context.Background(), id, time.Hour)
			})
		}
		synctest.Wait()
		at := time.Now()
		stop(t, b)
		waiters.Wait()
		require.Equal(t, at, time.Now())
	})
}

func TestStopWithoutStart(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := stopped(t)
		require.NoError(t, b.Stop(t.Context()))
		_, _, err := b.Submit(t.Context(), order("x"))
		require.Equal(t, "shutting_down", problem(t, err).Code)
	})
}

// Start and stop in a hurry, with work coming in all the time: nothing is lost, nothing is made twice.
func TestStopInAHurry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.takes = 7 * time.Millisecond
		d := &diary{}
		j := newMemory(d)
		accepted := map[fiscal.JobID]bool{}
		f := newFleet(d, a)
		for round := range 30 {
			f = f.again(d)
			b := over(t, f, j)
			require.NoError(t, b.Start(t.Context()))
			b.Wake("a", 1)
			for range 3 {
				s := order("")
				s.ExternalID = string(rune('a'+round)) + string(rune('a'+len(accepted)))
				if job, _, err := b.Submit(t.Context(), s); err == nil {
					accepted[job.ID] = true
				}
			}
			time.Sleep(time.Duration(round) * time.Millisecond)
			stop(t, b)
		}
		b := over(t, f.again(d), j)
		require.NoError(t, b.Start(t.Context()))
		b.Wake("a", 1)
		for id := range accepted {
			b.ends(id, fiscal.JobMade)
		}
		require.Len(t, a.docs, 1+len(accepted))
	})
}

// The watchdog is fed by the loop itself.
func TestAlive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := started(t)
		require.NoError(t, b.Alive(t.Context()))
		held := make(chan struct{})
		go func() { _ = b.call(func() { <-held }) }()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, b.Alive(ctx), context.DeadlineExceeded)
		close(held)
		require.NoError(t, b.Alive(t.Context()))
	})
}

// The loop waits for neither device nor disk.
func TestLoopNeverWaits(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		hold := make(chan struct{})
		a.script = []turn{{until: hold}}
		b := started(t, a)
		id := b.submit()
		b.is(id, fiscal.JobSending)
		b.journal.slow(10 * time.Minute)
		go func() { _, _, _ = b.Submit(context.Background(), order("slow")) }()
		synctest.Wait()
		at := time.Now()
		require.NoError(t, b.Alive(t.Context()))
		require.Equal(t, at, time.Now())
		close(hold)
		time.Sleep(time.Minute)
		at = time.Now()
		require.NoError(t, b.Alive(t.Context()))
		require.Equal(t, at, time.Now())
	})
}

func TestMetrics(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.script = []turn{{}, {err: errRefused}, {lost: true, err: errSilent}, {lost: true, err: errSilent}}
		b := started(t, a)
		for _, want := range []fiscal.JobState{fiscal.JobMade, fiscal.JobRefused, fiscal.JobMade} {
			b.ends(b.submit(), want)
		}
		b.fleet.set(func() { a.lost[4] = true })
		b.ends(b.submit(), fiscal.JobOperator)
		_, err := b.Cancel(t.Context(), b.submit())
		require.NoError(t, err)
		b.submit()
		b.submit(func(s *Submission) { s.Circuit = 2 })
		synctest.Wait()
		const text = `
# HELP frpoold_in_doubt_total Receipts that fell in doubt on a device.
# TYPE frpoold_in_doubt_total counter
frpoold_in_doubt_total{device="a"} 2
# HELP frpoold_jobs Receipt jobs not at an end, by state.
# TYPE frpoold_jobs gauge
frpoold_jobs{state="assigned"} 0
frpoold_jobs{state="in_doubt"} 0
frpoold_jobs{state="operator"} 1
frpoold_jobs{state="queued"} 2
frpoold_jobs{state="sending"} 0
# HELP frpoold_queue_jobs Receipt jobs of a circuit that wait for a device.
# TYPE frpoold_queue_jobs gauge
frpoold_queue_jobs{circuit="1"} 1
frpoold_queue_jobs{circuit="2"} 1
# HELP frpoold_receipts_accepted_total Receipt jobs accepted.
# TYPE frpoold_receipts_accepted_total counter
frpoold_receipts_accepted_total{circuit="1"} 6
frpoold_receipts_accepted_total{circuit="2"} 1
# HELP frpoold_receipts_total Receipt jobs that ended, by result (made, refused, canceled, expired).
# TYPE frpoold_receipts_total counter
frpoold_receipts_total{circuit="1",result="canceled"} 1
frpoold_receipts_total{circuit="1",result="made"} 2
frpoold_receipts_total{circuit="1",result="refused"} 1
# HELP frpoold_settled_total Receipts in doubt that were settled, by verdict (made, absent, undecided).
# TYPE frpoold_settled_total counter
frpoold_settled_total{verdict="absent"} 0
frpoold_settled_total{verdict="made"} 1
frpoold_settled_total{verdict="undecided"} 1
`
		require.NoError(t, testutil.GatherAndCompare(b.metrics, strings.NewReader(text), "frpoold_in_doubt_total", "frpoold_jobs",
			"frpoold_queue_jobs", "frpoold_receipts_accepted_total", "frpoold_receipts_total", "frpoold_settled_total"))
		problems, err := testutil.GatherAndLint(b.metrics)
		require.NoError(t, err)
		require.Empty(t, problems)
		n, err := testutil.GatherAndCount(b.metrics, "frpoold_receipt_seconds")
		require.NoError(t, err)
		require.Equal(t, 1, n)
	})
}

// A scrape of a dispatcher that has ended neither fails nor waits.
func TestMetricsOfAStoppedDispatcher(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := started(t)
		stop(t, b)
		_, err := b.metrics.Gather()
		require.NoError(t, err)
	})
}
