package dispatcher

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// doubt puts one receipt in doubt on a device: made or not, and the answer lost.
func doubt(t *testing.T, made bool, change ...func(*box)) (*bench, *box, fiscal.JobID) {
	t.Helper()
	a := newBox("a")
	a.script = []turn{{lost: made, err: errSilent}}
	for _, c := range change {
		c(a)
	}
	b := started(t, a)
	id := b.submit()
	time.Sleep(a.takes)
	synctest.Wait()
	return b, a, id
}

// design.md §5.3 and §12: what a look proves, from the lost answer to the end of the job.
func TestSettle(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		made   bool
		change func(*box)
		want   fiscal.JobState // of the job that was in doubt, an hour later
		docs   int             // that carry its stamp
	}{
		{name: "made", made: true, want: fiscal.JobMade, docs: 1},
		{name: "not made", want: fiscal.JobMade, docs: 1},
		{name: "made, and others behind it", made: true, change: func(b *box) {
			b.script[0].change = func(*fiscal.Document) { b.add(paper(0)) }
		}, want: fiscal.JobMade, docs: 1},
		{name: "made, and its content is gone", made: true, change: func(b *box) { b.lost[2] = true }, want: fiscal.JobOperator, docs: 1},
		{name: "made, with another sum", made: true, change: func(b *box) {
			b.script[0].change = func(d *fiscal.Document) { d.Total++ }
		}, want: fiscal.JobOperator, docs: 1},
		{name: "made without its stamp on a register that never showed one", made: true, change: func(b *box) {
			b.proven = false
			b.script[0].change = func(d *fiscal.Document) { d.Marks = fiscal.Marks{} }
		}, want: fiscal.JobOperator, docs: 0},
		{name: "something hangs and cannot be cancelled", change: func(b *box) { b.open = 3 }, want: fiscal.JobOperator, docs: 0},
		{name: "the FN was changed in between", made: true, change: func(b *box) {
			b.script[0].change = func(*fiscal.Document) { b.who.FN = "FN-new" }
		}, want: fiscal.JobOperator, docs: 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b, a, id := doubt(t, tc.made, func(a *box) {
					if tc.change != nil {
						tc.change(a)
					}
				})
				time.Sleep(time.Hour)
				job := b.is(id, tc.want)
				require.Equal(t, tc.docs, b.fleet.receipts(id))
				if tc.want == fiscal.JobOperator {
					require.Equal(t, id, b.fleet.held("a"), "the device waits with it")
					require.NotNil(t, job.Last().Evidence.After)
					require.Equal(t, tc.want, b.disk(id))
					require.Len(t, b.of("bytes"), 1, "never a resend")
					return
				}
				require.Empty(t, b.fleet.held("a"))
				require.EqualValues(t, len(a.docs), b.fleet.Views(1)[0].Status.Document.Last)
				b.ends(b.submit(), fiscal.JobMade)
			})
		})
	}
}

// design.md §5.4: while one receipt is not settled, its device takes no other; the others carry on.
func TestDeviceInDoubtTakesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, a, id := doubt(t, true, func(a *box) { a.lost[2] = true })
		b.is(id, fiscal.JobOperator)
		var ids []fiscal.JobID
		for range 5 {
			ids = append(ids, b.submit())
		}
		time.Sleep(2 * time.Hour)
		for _, other := range ids {
			b.is(other, fiscal.JobQueued)
		}
		require.Len(t, a.docs, 2)
		c := newBox("c")
		b.fleet.set(func() { b.fleet.boxes = append(b.fleet.boxes, c) })
		for _, other := range ids {
			b.ends(other, fiscal.JobMade)
		}
		require.Len(t, c.docs, 6)
		_, err := b.Resolve(t.Context(), "anna", id, Resolution{Made: true, FD: 2})
		require.NoError(t, err)
		b.ends(b.submit(), fiscal.JobMade)
	})
}

// The hold ends when the verdict is on disk and not before: a crash in between must find the device untouched.
func TestHoldEndsWithTheWrite(t *testing.T) {
	t.Parallel()
	for _, made := range []bool{true, false} {
		t.Run(map[bool]string{true: "made", false: "absent"}[made], func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b, a, id := doubt(t, made, func(a *box) { a.blind = errNoLine })
				b.is(id, fiscal.JobInDoubt)
				b.journal.full(true)
				waiting := make(chan fiscal.JobID, 1)
				b.fleet.set(func() { a.blind = nil })
				time.Sleep(time.Minute)
				b.is(id, fiscal.JobInDoubt)
				require.Equal(t, id, b.fleet.held("a"))
				require.Empty(t, b.of("release"))
				b.journal.full(false)
				go func() { waiting <- b.submit() }()
				b.ends(id, fiscal.JobMade)
				b.ends(<-waiting, fiscal.JobMade)
				verdict := map[bool]string{true: "made", false: "queued"}[made]
				entries := b.of("write "+string(id)+" "+verdict, "release", "write "+string(id)+" in_doubt")
				require.Equal(t, []string{"write " + string(id) + " in_doubt", "write " + string(id) + " " + verdict, "release a"}, entries[:3])
			})
		})
	}
}

// design.md §12: a device with an unsettled job is asked at least every 2 s, and not in a spin.
func TestLookIsTriedAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, a, id := doubt(t, true, func(a *box) { a.blind = errNoLine })
		b.clear()
		time.Sleep(10 * time.Minute)
		looks := len(b.of("look"))
		require.GreaterOrEqual(t, looks, 300)
		require.LessOrEqual(t, looks, 400)
		job := b.is(id, fiscal.JobInDoubt)
		require.Contains(t, job.Last().Evidence.Verdict, "connection refused", "it shows why it is not settled yet")
		require.NotEmpty(t, job.Last().Evidence.Exchanges, "and keeps what was known")
		b.fleet.set(func() { a.blind = nil })
		at := time.Now()
		b.ends(id, fiscal.JobMade)
		require.LessOrEqual(t, time.Since(at), 2*time.Second)
	})
}

// A short hiccup is over in no time: the first tries come fast.
func TestFirstLooksComeFast(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.script = []turn{{lost: true, err: errSilent}}
		a.looks = []error{errSilent, errSilent, errSilent}
		b := started(t, a)
		at := time.Now()
		b.ends(b.submit(), fiscal.JobMade)
		require.LessOrEqual(t, time.Since(at), a.takes+time.Second)
	})
}

// A receipt that was proved absent is made again, perhaps elsewhere, and each attempt is told.
func TestAbsentIsMadeAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, a, id := doubt(t, false, func(a *box) { a.script = append(a.script, turn{lost: true, err: errSilent}) })
		job := b.ends(id, fiscal.JobMade)
		require.Len(t, job.Attempts, 2)
		require.Equal(t, fiscal.Nothing, job.Attempts[0].Effect)
		require.Contains(t, job.Attempts[0].Result, "nothing was made")
		require.Contains(t, job.Attempts[1].Result, "carries the receipt's marks")
		require.Len(t, a.docs, 2)
		require.EqualValues(t, 1, job.Attempts[0].Baseline.LastFD)
	})
}

// style.md §4.5: the number of doubts does not matter; only proof moves a job.
func TestDoubtAfterDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		for i := range 30 {
			a.script = append(a.script, turn{lost: i == 29, err: errSilent})
		}
		b := started(t, a)
		job := b.ends(b.submit(), fiscal.JobMade)
		require.Len(t, a.docs, 2)
		require.Len(t, job.Attempts, maxAttempts)
	})
}

// design.md §5.5: while a job is in doubt its status says so, through every door; the wait for it goes on.
func TestWaitDoesNotReturnOnDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, a, id := doubt(t, true, func(a *box) { a.blind = errNoLine })
		at := time.Now()
		job, err := b.Wait(t.Context(), id, 10*time.Second)
		require.NoError(t, err)
		require.Equal(t, fiscal.JobInDoubt, job.State)
		require.Equal(t, 10*time.Second, time.Since(at))
		got := make(chan fiscal.Job, 1)
		go func() {
			j, waitErr := b.Wait(context.Background(), id, time.Hour)
			if waitErr == nil {
				got <- j
			}
		}()
		synctest.Wait()
		b.fleet.set(func() { a.blind = nil })
		require.Equal(t, fiscal.JobMade, (<-got).State)
	})
}

// Wait returns at rest, at once for what is at rest, when its time is up, and with its caller.
func TestWait(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := started(t)
		id := b.submit()
		at := time.Now()
		job, err := b.Wait(t.Context(), id, 5*time.Second)
		require.NoError(t, err)
		require.Equal(t, fiscal.JobQueued, job.State)
		require.Equal(t, 5*time.Second, time.Since(at))

		at = time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		job, err = b.Wait(ctx, id, time.Hour)
		require.NoError(t, err, "the job is told as it is")
		require.Equal(t, fiscal.JobQueued, job.State)
		require.Equal(t, time.Second, time.Since(at))
		synctest.Wait()
		require.NoError(t, b.call(func() { require.Empty(t, b.jobs[id].notify, "those that gave up are forgotten") }))

		a := newBox("a")
		a.script = []turn{{err: errRefused}}
		b.fleet.set(func() { b.fleet.boxes = append(b.fleet.boxes, a) })
		b.ends(id, fiscal.JobRefused)
		at = time.Now()
		b.ends(id, fiscal.JobRefused)
		require.Equal(t, at, time.Now())
		_, err = b.Wait(t.Context(), "no such job", time.Hour)
		require.Equal(t, "receipt_not_found", problem(t, err).Code)
		require.Equal(t, at, time.Now())
	})
	t.Run("at rest with a person", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b, id := doubtful(t)
			at := time.Now()
			b.ends(id, fiscal.JobOperator)
			require.Equal(t, at, time.Now())
		})
	})
}

// A list read from the journal is completed with what only the loop knows.
func TestLive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		early := make(chan struct{})
		a.script = []turn{{early: early}}
		b := started(t, a)
		id := b.submit()
		b.is(id, fiscal.JobAssigned)
		page := b.journal.all()
		require.Equal(t, fiscal.JobQueued, page[0].State)
		b.Live(page)
		require.Equal(t, fiscal.JobAssigned, page[0].State)
		require.Len(t, page[0].Attempts, 1)
		close(early)
		b.ends(id, fiscal.JobMade)
		page = b.journal.all()
		b.Live(page)
		require.Equal(t, fiscal.JobMade, page[0].State)
	})
}

// Readers keep what they were given: an attempt is never changed in place.
func TestJobsHandedOutAreNotChanged(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, a, id := doubt(t, true, func(a *box) { a.blind = errNoLine })
		job := b.job(id)
		before := encode(job)
		time.Sleep(10 * time.Second)
		b.fleet.set(func() { a.blind = nil })
		b.ends(id, fiscal.JobMade)
		require.Equal(t, before, encode(job))
	})
}

// The question whether a driver's error proves anything is answered by its Effect alone, never by its text.
func TestTextProvesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.blind = errNoLine
		a.script = []turn{{lost: true, err: errors.New("refused: no document was made")}}
		b := started(t, a)
		id := b.submit()
		time.Sleep(time.Minute)
		job := b.is(id, fiscal.JobInDoubt)
		require.True(t, strings.Contains(job.Last().Result, "refused"))
		b.fleet.set(func() { a.blind = nil })
		b.ends(id, fiscal.JobMade)
	})
}
