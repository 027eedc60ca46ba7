package dispatcher

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// design.md §4: DELETE cancels while still queued, and nothing else.
func TestCancel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		hold := make(chan struct{})
		a.script = []turn{{until: hold}}
		b := started(t, a)
		inWork, waits, other := b.submit(), b.submit(), b.submit()
		b.is(inWork, fiscal.JobSending)

		_, err := b.Cancel(t.Context(), inWork)
		u := problem(t, err)
		require.Equal(t, "receipt_not_queued", u.Code)
		require.Equal(t, fiscal.ClassConflict, u.Class)
		require.Equal(t, fiscal.JobSending, u.Details["status"])

		job, err := b.Cancel(t.Context(), waits)
		require.NoError(t, err)
		require.Equal(t, fiscal.JobCanceled, job.State)
		require.Equal(t, 1, b.Queued(1))
		_, err = b.Cancel(t.Context(), waits)
		require.Equal(t, fiscal.JobCanceled, problem(t, err).Details["status"])

		_, err = b.Cancel(t.Context(), "no such job")
		require.Equal(t, "receipt_not_found", problem(t, err).Code)

		close(hold)
		b.ends(inWork, fiscal.JobMade)
		b.ends(other, fiscal.JobMade)
		b.is(waits, fiscal.JobCanceled)
		require.Zero(t, b.fleet.receipts(waits))
		_, err = b.Cancel(t.Context(), inWork)
		require.Equal(t, fiscal.JobMade, problem(t, err).Details["status"])
	})
}

// Canceled is told when it is on disk, not before; in between nobody may give the job to a device.
func TestCancelIsDurable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.gates = []fiscal.GateCode{fiscal.GateOffline}
		b := started(t, a)
		id := b.submit()
		b.journal.full(true)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		_, err := b.Cancel(ctx, id)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		b.is(id, fiscal.JobQueued)
		b.fleet.set(func() { a.gates = nil })
		synctest.Wait()
		require.Empty(t, b.of("task"))
		_, err = b.Cancel(t.Context(), id)
		require.Equal(t, "receipt_not_queued", problem(t, err).Code, "one cancel is on its way")
		b.journal.full(false)
		b.ends(id, fiscal.JobCanceled)
		require.Empty(t, b.of("task"))
	})
}

// design.md §6: the deadline of a job that waits ends it; one that is being made is made.
func TestExpire(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.takes = time.Hour
		b := started(t, a)
		soon := func(s *Submission) { s.Deadline = time.Now().Add(10 * time.Minute) }
		inWork := b.submit(soon)
		b.is(inWork, fiscal.JobSending)
		waits, patient := b.submit(soon), b.submit()
		time.Sleep(10*time.Minute - time.Second)
		b.is(waits, fiscal.JobQueued)
		time.Sleep(3 * time.Second)
		job := b.is(waits, fiscal.JobExpired)
		require.Equal(t, "deadline_passed", job.Failure.Code)
		require.Contains(t, job.Failure.Message, "none was made")
		require.Equal(t, 1, b.Queued(1))
		b.ends(inWork, fiscal.JobMade)
		job, err := b.Wait(t.Context(), patient, 3*time.Hour)
		require.NoError(t, err)
		require.Equal(t, fiscal.JobMade, job.State)
		require.Zero(t, b.fleet.receipts(waits))
	})
}

// A device that becomes free at the very moment a deadline passes does not get the job any more.
func TestJobPastItsDeadlineIsNotBegun(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.gates = []fiscal.GateCode{fiscal.GateOffline}
		b := started(t, a)
		late := b.submit(func(s *Submission) { s.Deadline = time.Now().Add(1100 * time.Millisecond) })
		patient := b.submit()
		time.Sleep(1500 * time.Millisecond) // between two looks at the clock
		b.fleet.set(func() { a.gates = nil })
		b.ends(patient, fiscal.JobMade)
		b.ends(late, fiscal.JobExpired)
		require.Zero(t, b.fleet.receipts(late))
	})
}

// A job that rests between two rounds of failures ends at its deadline like any other, and can be taken back.
func TestDeadlineOfAJobThatRests(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := started(t, a)
		for range 100 {
			a.script = append(a.script, turn{err: errPerson})
		}
		soon := func(s *Submission) { s.Deadline = time.Now().Add(40 * time.Second) }
		id := b.submit(soon)
		time.Sleep(39 * time.Second)
		b.is(id, fiscal.JobQueued)
		require.Equal(t, 1, b.Queued(1), "it waits, resting or not")
		time.Sleep(3 * time.Second)
		b.is(id, fiscal.JobExpired)

		id = b.submit()
		time.Sleep(time.Minute)
		b.is(id, fiscal.JobQueued)
		_, err := b.Cancel(t.Context(), id)
		require.NoError(t, err)
		time.Sleep(time.Hour)
		b.is(id, fiscal.JobCanceled)
		require.Zero(t, b.Queued(1))
		require.NoError(t, b.call(func() { require.Zero(t, b.total) }))
	})
}

// What kept it waiting is told, so that somebody can act on it.
func TestExpirySaysWhy(t *testing.T) {
	bubble(t, func(t *testing.T) {
		hot, osn, lost := newBox("hot"), newBox("osn"), newBox("lost")
		hot.gates = []fiscal.GateCode{fiscal.GateTooHot}
		osn.who.TaxSystems = fiscal.TaxOSN
		lost.gates = []fiscal.GateCode{fiscal.GateOffline}
		b := started(t, hot, osn, lost)
		soon := func(s *Submission) { s.Deadline = time.Now().Add(time.Second) }
		job := b.ends(b.submit(soon), fiscal.JobExpired)
		for _, why := range []string{"of 3 devices", "1 too_hot", "1 no_such_tax_system", "1 offline"} {
			require.Contains(t, job.Failure.Message, why)
		}
		b.fleet.set(func() { b.fleet.boxes = nil })
		job = b.ends(b.submit(soon), fiscal.JobExpired)
		require.Contains(t, job.Failure.Message, "no device of the circuit is active")
	})
}

// design.md §3: an operator's word ends a job that could not be settled, is kept, and frees the device.
func TestResolve(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		word Resolution
		want fiscal.JobState
	}{
		{"made", Resolution{Made: true, FD: 2, Reason: "seen at the OFD"}, fiscal.JobMade},
		{"not made", Resolution{Reason: "the paper is empty"}, fiscal.JobRefused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b, id := doubtful(t)
				b.clear()
				job, err := b.Resolve(t.Context(), "anna", id, tc.word)
				require.NoError(t, err)
				require.Equal(t, tc.want, job.State)
				require.Equal(t, tc.want, b.disk(id))
				require.Contains(t, job.Last().Result, "anna")
				require.NotNil(t, job.Last().Evidence, "the evidence stays")
				require.Empty(t, b.fleet.held("a"))
				require.Len(t, b.audited, 1)
				e := b.audited[0]
				require.Equal(t, fiscal.AuditEntry{At: e.At, Actor: "anna", Action: "receipt.resolve", Target: string(id), Reason: tc.word.Reason, Detail: e.Detail}, e)
				require.Contains(t, e.Detail, tc.word.String())
				require.Contains(t, e.Detail, "attempt on a of")
				entries := b.of("write", "release")
				require.Len(t, entries, 2)
				require.Equal(t, "release a", entries[1], "the device is free once it is on disk")
				if tc.word.Made {
					require.EqualValues(t, 2, job.Fiscal.FD)
					require.Equal(t, "FN-a", job.Fiscal.FN)
					require.EqualValues(t, 15000, job.Fiscal.Total)
					require.Nil(t, job.Failure)
				} else {
					require.Equal(t, "resolved_not_made", job.Failure.Code)
				}

				again, err := b.Resolve(t.Context(), "boris", id, tc.word)
				require.NoError(t, err, "the same word again")
				require.Equal(t, tc.want, again.State)
				require.Len(t, b.audited, 1)
				opposite := Resolution{Made: !tc.word.Made, FD: 2}
				_, err = b.Resolve(t.Context(), "boris", id, opposite)
				require.Equal(t, "receipt_not_in_doubt", problem(t, err).Code)
				if tc.word.Made {
					_, err = b.Resolve(t.Context(), "boris", id, Resolution{Made: true, FD: 3})
					require.Error(t, err, "another document is another word")
				}
				b.ends(b.submit(), fiscal.JobMade)
			})
		})
	}
}

// With the archive readable after all, the whole of the fiscal data comes from it.
func TestResolveTakesTheDataFromTheArchive(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, id := doubtful(t)
		a := b.fleet.boxes[0]
		b.fleet.set(func() { delete(a.lost, 2) })
		job, err := b.Resolve(t.Context(), "anna", id, Resolution{Made: true, FD: 2})
		require.NoError(t, err)
		require.Equal(t, a.docs[1].Sign.String(), job.Fiscal.FP)
		require.NotEmpty(t, job.Fiscal.QR)
		require.Equal(t, "R-a", job.Fiscal.RNM)
	})
}

// While the device can be asked, a word that contradicts its archive is refused, and changes nothing.
func TestResolveAgainstTheArchive(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		word   Resolution
		change func(a *box) // the archive has 1, and 2 without content
		says   string       // empty: the word is taken
	}{
		{name: "made before it was sent", word: Resolution{Made: true, FD: 1}, says: "before the receipt was sent"},
		{name: "made, number zero", word: Resolution{Made: true}, says: "before the receipt was sent"},
		{name: "made, beyond the end", word: Resolution{Made: true, FD: 3}, says: "the last one is 2"},
		{name: "made, a report", word: Resolution{Made: true, FD: 3}, change: func(a *box) { a.add(fiscal.Document{Kind: fiscal.KindShiftClose}) }, says: "shift_close"},
		{name: "made, another sum", word: Resolution{Made: true, FD: 3}, change: func(a *box) { a.add(paper(0, dearer)) }, says: "150.01"},
		{name: "made, a refund", word: Resolution{Made: true, FD: 3}, change: func(a *box) { a.add(paper(0, refund)) }, says: "sell_refund"},
		// It is another job's receipt: two jobs must never end as one document.
		{name: "made, with another receipt's stamp", word: Resolution{Made: true, FD: 3}, change: func(a *box) { a.add(paper(0, theirs)) }, says: "3"},
		{name: "made, beyond what a storage holds", word: Resolution{Made: true, FD: fiscal.FNCapacity + 1}, change: func(a *box) { a.blind = errNoLine }, says: "250000"},
		{name: "made, the one without content", word: Resolution{Made: true, FD: 2}},
		{name: "not made, and it is there", word: Resolution{}, change: func(a *box) { delete(a.lost, 2) }, says: "document 2"},
		{name: "not made, and nobody can say", word: Resolution{}},
		{name: "made before it was sent, the device gone", word: Resolution{Made: true, FD: 1}, change: func(a *box) { a.blind = errNoLine }, says: "before the receipt was sent"},
		{name: "made, the device gone", word: Resolution{Made: true, FD: 7}, change: func(a *box) { a.blind = errNoLine }},
		{name: "not made, the device gone", word: Resolution{}, change: func(a *box) { delete(a.lost, 2); a.blind = errNoLine }},
		{name: "made, the FN changed", word: Resolution{Made: true, FD: 7}, change: func(a *box) { a.who.FN = "FN-new" }},
		{name: "not made, the FN changed", word: Resolution{}, change: func(a *box) { a.who.FN = "FN-new" }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b, id := doubtful(t)
				if tc.change != nil {
					b.fleet.set(func() { tc.change(b.fleet.boxes[0]) })
				}
				job, err := b.Resolve(t.Context(), "anna", id, tc.word)
				if tc.says == "" {
					require.NoError(t, err)
					require.True(t, job.State.Final())
					if tc.word.Made {
						require.Equal(t, tc.word.FD, job.Fiscal.FD)
						require.Equal(t, "FN-a", job.Fiscal.FN, "the FN it was sent to")
					}
					return
				}
				u := problem(t, err)
				require.Equal(t, "contradicts_archive", u.Code)
				require.Equal(t, fiscal.ClassConflict, u.Class)
				require.Contains(t, u.Message, tc.says)
				b.is(id, fiscal.JobOperator)
				require.Equal(t, id, b.fleet.held("a"))
				require.Empty(t, b.audited, "a word that was not taken is no act")
			})
		})
	}
}

// A word is for jobs in doubt only.
func TestResolveWhatIsNotInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		hold := make(chan struct{})
		a.script = []turn{{until: hold}}
		b := started(t, a)
		sending, queued := b.submit(), b.submit()
		b.is(sending, fiscal.JobSending)
		for _, id := range []fiscal.JobID{sending, queued} {
			_, err := b.Resolve(t.Context(), "anna", id, Resolution{})
			u := problem(t, err)
			require.Equal(t, "receipt_not_in_doubt", u.Code)
			require.Equal(t, fiscal.ClassConflict, u.Class)
		}
		_, err := b.Resolve(t.Context(), "anna", "no such job", Resolution{})
		require.Equal(t, "receipt_not_found", problem(t, err).Code)
		close(hold)
		b.ends(sending, fiscal.JobMade)
		_, err = b.Resolve(t.Context(), "anna", sending, Resolution{})
		require.Equal(t, "receipt_not_in_doubt", problem(t, err).Code)
		require.Empty(t, b.audited)
		b.ends(queued, fiscal.JobMade)
	})
}

// A person may be faster than the device: the word counts, and the look that comes later changes nothing.
func TestResolveWhileTheDeviceIsAsked(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, a, id := doubt(t, true, func(a *box) { a.blind = errNoLine })
		time.Sleep(settlingTime)
		job, err := b.Resolve(t.Context(), "anna", id, Resolution{Made: true, FD: 2})
		require.NoError(t, err)
		require.Equal(t, fiscal.JobMade, job.State)
		b.fleet.set(func() { a.blind = nil })
		b.clear()
		time.Sleep(time.Hour)
		b.is(id, fiscal.JobMade)
		require.LessOrEqual(t, len(b.of("look")), 1, "nobody asks any more")
		b.ends(b.submit(), fiscal.JobMade)
	})
}

// A register that is away for a moment, because it reboots or because the daemon did, will say itself what became of the
// receipt: nobody has to guess before it has been silent for a while.
func TestResolveIsNoGuess(t *testing.T) {
	t.Parallel()
	guess := func(t *testing.T, b *bench, id fiscal.JobID) {
		t.Helper()
		for range 9 {
			_, err := b.Resolve(t.Context(), "anna", id, Resolution{})
			u := problem(t, err)
			require.Equal(t, "still_settling", u.Code)
			require.Equal(t, fiscal.ClassConflict, u.Class)
			time.Sleep(time.Minute)
		}
		require.Empty(t, b.audited)
		time.Sleep(time.Minute + time.Second)
		job, err := b.Resolve(t.Context(), "anna", id, Resolution{})
		require.NoError(t, err)
		require.Equal(t, fiscal.JobRefused, job.State)
	}
	t.Run("after a lost answer", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b, _, id := doubt(t, false, func(a *box) { a.blind = errNoLine })
			guess(t, b, id)
		})
	})
	t.Run("after a restart", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := stopped(t)
			left(b.journal, "01OLD", fiscal.JobSending, "a", 1)
			require.NoError(t, b.Start(t.Context()))
			guess(t, b, "01OLD")
		})
	})
}

// Two people, one job: one word counts, the other is told so.
func TestResolveTwice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, id := doubtful(t)
		b.journal.slow(time.Second)
		errs := make(chan error, 2)
		for _, word := range []Resolution{{Made: true, FD: 2}, {}} {
			go func() {
				_, err := b.Resolve(context.Background(), "anna", id, word)
				errs <- err
			}()
		}
		first, second := <-errs, <-errs
		if first == nil {
			first, second = second, first
		}
		require.NoError(t, second)
		require.Equal(t, "receipt_not_in_doubt", problem(t, first).Code)
		require.Len(t, b.of("release"), 1)
	})
}

// What cannot be audited is not done.
func TestResolveWithoutAudit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b, id := doubtful(t)
		b.auditor = errors.New("no space left on device")
		_, err := b.Resolve(t.Context(), "anna", id, Resolution{})
		require.ErrorIs(t, err, b.auditor)
		b.is(id, fiscal.JobOperator)
	})
}
