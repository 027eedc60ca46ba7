package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// left puts a job into a journal as an earlier life left it.
func left(j *memory, id fiscal.JobID, state fiscal.JobState, device fiscal.DeviceID, lastFD fiscal.DocNumber, change ...func(*fiscal.Job)) fiscal.Job {
	job := fiscal.Job{
		ID: id, Circuit: 1, Integration: 1, ExternalID: "ext-" + string(id), State: state, Operation: fiscal.Sell, Total: 15000,
		Needs: plain, CreatedAt: time.Now(), UpdatedAt: time.Now(), Deadline: time.Now().Add(24 * time.Hour),
	}
	if device != "" {
		stamp := fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: string(id)}
		job.Attempts = []fiscal.Attempt{{Device: device, StartedAt: time.Now(), Baseline: &fiscal.Baseline{
			FN: "FN-" + string(device), Serial: "S-" + string(device), LastFD: lastFD, Stamp: stamp,
			Marks: fiscal.Marks{CheckProps: string(id)}, Proven: true, At: time.Now(),
		}}}
	}
	for _, c := range change {
		c(&job)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.jobs[id], j.receipts[id] = encode(job), encode(sale(15000))
	return job
}

// wears makes the document that a job of an earlier life left on a device.
func (b *box) wears(id fiscal.JobID) {
	b.add(fiscal.Document{Kind: fiscal.KindReceipt, Operation: fiscal.Sell, Total: 15000, Marks: fiscal.Marks{CheckProps: string(id)}})
}

// design.md §5.7: a crash at any point restarts into the same rules. Each state that can be stored.
func TestRecover(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		state  fiscal.JobState
		device fiscal.DeviceID
		made   bool // its document is in the archive
		want   fiscal.JobState
		docs   int
		looked bool
	}{
		{name: "queued", state: fiscal.JobQueued, want: fiscal.JobMade, docs: 1},
		{name: "queued after an attempt", state: fiscal.JobQueued, device: "a", want: fiscal.JobMade, docs: 1},
		{name: "sending, made", state: fiscal.JobSending, device: "a", made: true, want: fiscal.JobMade, docs: 1, looked: true},
		{name: "sending, not made", state: fiscal.JobSending, device: "a", want: fiscal.JobMade, docs: 1, looked: true},
		{name: "in doubt, made", state: fiscal.JobInDoubt, device: "a", made: true, want: fiscal.JobMade, docs: 1, looked: true},
		{name: "in doubt, not made", state: fiscal.JobInDoubt, device: "a", want: fiscal.JobMade, docs: 1, looked: true},
		{name: "operator", state: fiscal.JobOperator, device: "a", made: true, want: fiscal.JobOperator, docs: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newBox("a")
				b := stopped(t, a)
				left(b.journal, "01OLD", tc.state, tc.device, 1)
				left(b.journal, "00END", fiscal.JobMade, "a", 0)
				if tc.made {
					a.wears("01OLD")
				}
				require.NoError(t, b.Start(t.Context()))
				require.Equal(t, tc.looked || tc.state == fiscal.JobOperator, len(b.of("hold a 01OLD")) == 1,
					"the device is held before Start returns, so before any worker runs")
				b.Wake("a", 1)
				job := b.ends("01OLD", tc.want)
				require.Equal(t, tc.docs, b.fleet.receipts("01OLD"))
				require.Equal(t, tc.looked, len(b.of("look")) > 0)
				if tc.state == fiscal.JobSending {
					require.Contains(t, b.of("write"), "write 01OLD in_doubt", "what was being sent is in doubt, and says so on disk")
					require.Equal(t, fiscal.Internal, job.Attempts[0].Kind)
				}
				if tc.want == fiscal.JobOperator {
					require.EqualValues(t, "01OLD", b.fleet.held("a"))
					b.is(b.submit(), fiscal.JobQueued)
					require.Len(t, a.docs, 2)
					return
				}
				b.ends(b.submit(), fiscal.JobMade)
			})
		})
	}
}

// A receipt that is in doubt on a device that is not there any more waits, and everything else goes on.
func TestRecoverWithoutTheDevice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := stopped(t, a)
		left(b.journal, "01OLD", fiscal.JobSending, "gone", 1)
		left(b.journal, "02OLD", fiscal.JobOperator, "other", 1)
		require.NoError(t, b.Start(t.Context()))
		require.ElementsMatch(t, []fiscal.DeviceID{"gone", "other"}, b.UnsettledDevices(), "those that must be enrolled to be asked")
		time.Sleep(time.Minute)
		b.is("01OLD", fiscal.JobInDoubt)
		b.ends(b.submit(), fiscal.JobMade)
		gone := newBox("gone")
		gone.wears("01OLD")
		b.fleet.set(func() { b.fleet.boxes = append(b.fleet.boxes, gone) })
		b.ends("01OLD", fiscal.JobMade)
		require.Equal(t, []fiscal.DeviceID{"other"}, b.UnsettledDevices())
	})
}

// A job whose deadline passed while nobody was there is not made late.
func TestRecoverOfAnOldJob(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := stopped(t, a)
		left(b.journal, "01OLD", fiscal.JobQueued, "", 0, func(j *fiscal.Job) { j.Deadline = time.Now().Add(-time.Hour) })
		require.NoError(t, b.Start(t.Context()))
		b.Wake("a", 1)
		b.ends("01OLD", fiscal.JobExpired)
		require.Len(t, a.docs, 1)
	})
}

// Jobs wait in the order they came, as before the restart.
func TestRecoverKeepsOrder(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := stopped(t, a)
		var want []string
		for i := range 20 {
			id := fiscal.JobID(fmt.Sprintf("%04d", i))
			left(b.journal, id, fiscal.JobQueued, "", 0)
			want = append(want, fmt.Sprintf("bytes %s a", id))
		}
		require.NoError(t, b.Start(t.Context()))
		require.Equal(t, 20, b.Queued(1))
		b.Wake("a", 1)
		b.ends("0019", fiscal.JobMade)
		require.Equal(t, want, b.of("bytes"))
	})
}

// A device never holds two receipts in doubt by our doing; should a disk say so, it is held until both are settled.
func TestRecoverOfTwoDoubtsOnOneDevice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := stopped(t, a)
		left(b.journal, "01OLD", fiscal.JobSending, "a", 1)
		left(b.journal, "02OLD", fiscal.JobOperator, "a", 2)
		a.wears("01OLD")
		require.NoError(t, b.Start(t.Context()))
		b.ends("01OLD", fiscal.JobMade)
		waits := b.submit()
		time.Sleep(time.Hour)
		b.is(waits, fiscal.JobQueued)
		require.EqualValues(t, "02OLD", b.fleet.held("a"), "the next receipt would move the number and destroy the proof")
		require.Len(t, a.docs, 2)
		_, err := b.Resolve(t.Context(), "anna", "02OLD", Resolution{})
		require.NoError(t, err)
		b.ends(waits, fiscal.JobMade)
	})
}

// A full disk keeps nobody from holding the device and asking it; what is found is written when there is room.
func TestRecoverWithAFullDisk(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{true, false} {
		t.Run(map[bool]string{true: "made", false: "not made"}[made], func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				a := newBox("a")
				b := stopped(t, a)
				left(b.journal, "01OLD", fiscal.JobSending, "a", 1)
				if made {
					a.wears("01OLD")
				}
				b.journal.full(true)
				require.NoError(t, b.Start(t.Context()))
				require.EqualValues(t, "01OLD", b.fleet.held("a"))
				time.Sleep(time.Minute)
				b.is("01OLD", fiscal.JobInDoubt)
				require.Equal(t, fiscal.JobSending, b.disk("01OLD"))
				require.EqualValues(t, "01OLD", b.fleet.held("a"))
				require.Empty(t, b.of("bytes"))
				b.journal.full(false)
				b.ends("01OLD", fiscal.JobMade)
				require.Equal(t, 1, b.fleet.receipts("01OLD"))
				b.ends(b.submit(), fiscal.JobMade)
			})
		})
	}
}

func TestStartThatFails(t *testing.T) {
	t.Parallel()
	t.Run("nobody waits for it", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := stopped(t, newBox("a"))
			left(b.journal, "01OLD", fiscal.JobSending, "a", 1)
			b.journal.slow(time.Hour)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			require.ErrorIs(t, b.Start(ctx), context.DeadlineExceeded)
			time.Sleep(2 * time.Hour)
		})
	})
	t.Run("a state that is never stored", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := stopped(t, newBox("a"))
			left(b.journal, "01OLD", fiscal.JobAssigned, "a", 1)
			require.Error(t, b.Start(t.Context()))
		})
	})
}

// rehearsal is a working day in small: every way a receipt can go, on two devices.
func rehearsal() []*box {
	a, c := newBox("a"), newBox("c")
	a.script = []turn{{lost: true, err: errSilent}, {}, {err: errRefused}, {err: errSilent}, {err: errPerson}, {lost: true, err: errAfter}}
	c.script = []turn{{err: errExpired}, {err: errSilent}, {}, {before: errNoLine}, {lost: true, err: errors.New("panic")}, {}}
	a.looks = []error{errNoLine}
	return []*box{a, c}
}

// play runs one life of the daemon that is killed at the n-th entry of its diary (0: never), and returns how many there were.
// accepted are the jobs that clients were told of. A mute daemon dies before it sends what it has recorded, another after.
func play(t *testing.T, f *fleet, j *memory, jobs, n int, mute bool, accepted map[fiscal.JobID]bool) int {
	t.Helper()
	b := over(t, f, j)
	f.cut = func() bool { return mute && j.dead.Load() }
	var mu sync.Mutex
	j.diary.mu.Lock()
	if j.diary.onEntry = nil; n > 0 {
		j.diary.onEntry = func(entry int) {
			if entry >= n {
				j.dead.Store(true)
			}
		}
	}
	j.diary.mu.Unlock()
	if err := b.Start(t.Context()); err != nil {
		require.True(t, j.dead.Load(), "%v", err)
		return n
	}
	b.Wake("a", 1)
	var clients sync.WaitGroup
	for i := range jobs {
		clients.Go(func() {
			time.Sleep(time.Duration(i) * 100 * time.Millisecond)
			s := order(fmt.Sprint("order ", i))
			s.Integration = fiscal.IntegrationID(i % 2)
			job, _, err := b.Submit(context.Background(), s)
			if err != nil {
				return
			}
			mu.Lock()
			accepted[job.ID] = true
			mu.Unlock()
			if i%5 == 4 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Second)
				defer cancel()
				_, _ = b.Cancel(ctx, job.ID) // perhaps in time
			}
		})
	}
	clients.Wait()
	for range 60 {
		if time.Sleep(2 * time.Second); j.dead.Load() || len(unfinished(t, j)) == 0 {
			break
		}
	}
	time.Sleep(2 * time.Second) // what was on the wire has come to its end
	if j.dead.Load() {
		gone, cancel := context.WithCancel(context.Background())
		cancel()
		_ = b.Stop(gone)
	} else {
		stop(t, b)
	}
	synctest.Wait()
	require.Empty(t, f.wrong)
	return len(b.of())
}

func unfinished(t *testing.T, j *memory) []fiscal.Job {
	t.Helper()
	list, err := j.Unfinished()
	require.NoError(t, err)
	return list
}

// settledAll asserts the promise: every accepted job ended as exactly one document, or as an end that left none.
func settledAll(t *testing.T, f *fleet, j *memory, accepted map[fiscal.JobID]bool) {
	t.Helper()
	known := map[fiscal.JobID]bool{}
	for _, job := range j.all() {
		known[job.ID] = true
		want := 0
		if job.State == fiscal.JobMade {
			want = 1
			doc := f.box(job.Fiscal.EIP).docs[job.Fiscal.FD-1]
			require.Equal(t, string(job.ID), doc.Marks.CheckProps, "the fiscal data are those of its document")
			require.Equal(t, doc.Sign.String(), job.Fiscal.FP)
		}
		require.True(t, job.State.Final(), "%s is %s: %+v", job.ID, job.State, job.Attempts)
		require.Equal(t, want, f.receipts(job.ID), "%s is %s", job.ID, job.State)
	}
	for id := range accepted {
		require.True(t, known[id], "%s was accepted and is lost", id)
	}
	total := 0
	for _, b := range f.boxes {
		total += len(b.docs) - 1
	}
	made := 0
	for _, job := range j.all() {
		if job.State == fiscal.JobMade {
			made++
		}
	}
	require.Equal(t, made, total, "no document without its job")
}

// design.md §5.7: kill -9 between any two things that happen, then again in the next life, then a quiet one.
func TestKilledAtAnyPoint(t *testing.T) {
	t.Parallel()
	const jobs = 10
	points := 0
	t.Run("never", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			d := &diary{}
			f, j, accepted := newFleet(d, rehearsal()...), newMemory(d), map[fiscal.JobID]bool{}
			points = play(t, f, j, jobs, 0, false, accepted)
			settledAll(t, f, j, accepted)
			require.Len(t, accepted, jobs)
		})
	})
	require.Greater(t, points, 60, "the rehearsal is rich enough")
	random := rand.New(rand.NewPCG(9, 9))
	for n := 1; n <= points; n++ {
		for _, mute := range []bool{false, true} {
			second := 1 + random.IntN(points)
			t.Run(fmt.Sprintf("after %d, then after %d, mute %t", n, second, mute), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					d := &diary{}
					f, j, accepted := newFleet(d, rehearsal()...), newMemory(d), map[fiscal.JobID]bool{}
					play(t, f, j, jobs, n, mute, accepted)
					for _, kill := range []int{second, 0} {
						d = &diary{}
						f, j = f.again(d), j.copy(d)
						play(t, f, j, jobs, kill, !mute, accepted)
					}
					settledAll(t, f, j, accepted)
				})
			})
		}
	}
}
