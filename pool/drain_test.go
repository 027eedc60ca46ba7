package pool_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

func (r *rack) enrolled() bool {
	_, ok := r.View(eip)
	return ok
}

// design.md §3: deactivation takes no new job at once, finishes the one in work, then disconnects.
func TestWithdrawFinishesTheReceiptInWork(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.slow("register", 10*time.Second)
		var out pool.Outcome
		work := later(func() { out = r.make("JOB1") })
		synctest.Wait()
		var late pool.Outcome
		waits := later(func() { late = r.make("JOB2") }) // handed over, and not begun yet
		synctest.Wait()
		gone := later(func() { require.NoError(t, r.Withdraw(context.Background(), eip)) })
		synctest.Wait()
		require.False(t, over(gone))
		require.False(t, over(work))
		<-work
		require.NoError(t, out.Err)
		<-waits
		require.Error(t, late.Err)
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(late.Err))
		<-gone
		require.False(t, r.enrolled())
		require.Empty(t, r.Views(circuit))
		require.Len(t, box.calls("register"), 1)
		require.Len(t, box.calls("close"), 1)
		require.ErrorIs(t, r.make("JOB3").Err, pool.ErrNotEnrolled)
		require.NoError(t, r.Withdraw(context.Background(), eip), "a repeat has nothing to do")
	})
}

func TestWithdrawOfAnIdleDevice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		at := time.Now()
		require.NoError(t, r.Withdraw(t.Context(), eip))
		require.Equal(t, at, time.Now(), "nothing to wait for")
		require.Contains(t, r.told(fiscal.GateInactive), "closed")
	})
}

// A device that nobody can reach is withdrawn all the same, as long as nothing is in doubt.
func TestWithdrawOfADeadDevice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		box.never("open", errNoLine)
		r := one(t, box)
		time.Sleep(5 * time.Minute)
		at := time.Now()
		require.NoError(t, r.Withdraw(t.Context(), eip))
		require.Equal(t, at, time.Now())
	})
}

// What is in doubt on a device is settled before it goes: it is looked at, and registers nothing.
func TestWithdrawWaitsForTheDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.breaks("register", fault{commit: true, err: errSilent})
		require.Error(t, r.make("JOB1").Err)
		gone := later(func() { require.NoError(t, r.Withdraw(context.Background(), eip)) })
		time.Sleep(time.Hour)
		synctest.Wait()
		require.False(t, over(gone))
		require.Contains(t, r.gates(), fiscal.GateInactive)
		require.Contains(t, r.gates(), fiscal.GateInDoubt)
		f, err := r.Look(t.Context(), eip, since(2), nothingMatches)
		require.NoError(t, err)
		require.Equal(t, []fiscal.DocNumber{3}, numbers(f.Documents))
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(r.make("JOB2").Err))
		require.EqualValues(t, 3, box.last())
		r.Release(eip)
		<-gone
		require.False(t, r.enrolled())
	})
}

// With its caller gone, the worker goes on draining by itself.
func TestWithdrawGivesUpWaiting(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		r.Hold(eip, "JOB")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, r.Withdraw(ctx, eip), context.DeadlineExceeded)
		require.True(t, r.enrolled())
		r.Release(eip)
		synctest.Wait()
		require.False(t, r.enrolled())
	})
}

func TestEnrolAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.forget()
		require.NoError(t, r.Enrol(enrolment(box)), "of an enrolled device it is a repeat")
		synctest.Wait()
		require.Empty(t, box.calls())
		require.Len(t, r.All(), 1)

		r.Hold(eip, "JOB")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.Error(t, r.Withdraw(ctx, eip))
		require.ErrorContains(t, r.Enrol(enrolment(box)), "draining")
		inactive := enrolment(box)
		inactive.Active = false
		require.NoError(t, r.Enrol(inactive), "it settles already, and that is all it is asked for")
		r.Release(eip)
		synctest.Wait()
		require.False(t, r.enrolled())

		require.NoError(t, r.Enrol(enrolment(box)))
		synctest.Wait()
		r.made("JOB")
	})
}

// A device that was deactivated with a question open is enrolled only to answer it.
func TestEnrolOfAnInactiveDevice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := newRack(t)
		r.Hold(eip, "JOB")
		r.add(box, func(e *pool.Enrolment) { e.Active = false })
		require.Contains(t, r.gates(), fiscal.GateInactive)
		refusal := r.make("JOB2")
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(refusal.Err))
		_, err := r.Look(t.Context(), eip, since(2), nothingMatches)
		require.NoError(t, err)
		r.Release(eip)
		synctest.Wait()
		require.False(t, r.enrolled())

		// Without a question there is nothing to do for it.
		r.add(box, func(e *pool.Enrolment) { e.Active = false })
		require.False(t, r.enrolled())
	})
}

// Close ends every worker when its task in work is finished, held or not; what waits is answered with certainty.
func TestClose(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box, held := openedShift(), openedShift()
		r := one(t, box)
		const other = fiscal.DeviceID("10.0.0.2:7778")
		r.add(held, func(e *pool.Enrolment) { e.ID = other })
		require.Len(t, r.All(), 2)
		r.Hold(other, "JOB9")
		box.slow("register", 10*time.Second)
		var first, second pool.Outcome
		a := later(func() { first = r.make("JOB1") })
		synctest.Wait()
		b := later(func() { second = r.make("JOB2") })
		synctest.Wait()
		var look error
		c := later(func() { _, look = r.Look(context.Background(), eip, since(2), nothingMatches) })
		synctest.Wait()
		at := time.Now()
		require.NoError(t, r.Close(t.Context()))
		require.Equal(t, 10*time.Second, time.Since(at))
		<-a
		<-b
		<-c
		require.NoError(t, first.Err)
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(second.Err))
		require.Error(t, second.Err)
		require.Error(t, look)
		require.Empty(t, r.All())
		job, still := r.Holds(other)
		require.True(t, still, "closing settles nothing")
		require.EqualValues(t, "JOB9", job)
		require.NoError(t, r.Close(t.Context()), "a repeat has nothing to do")
	})
}

// Close does not wait longer than it is told to, and says for whom it would have.
func TestCloseOfAStuckDevice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		block := make(chan struct{})
		box.breaks("register", fault{until: block})
		done := later(func() { r.make("JOB") })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		err := r.Close(ctx)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, string(eip))
		close(block)
		<-done
	})
}

// Start and stop in a hurry, many times: nothing is left behind.
func TestEnrolAndWithdrawInAHurry(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		for range 50 {
			work := later(func() { r.make("JOB") })
			require.NoError(t, r.Withdraw(t.Context(), eip))
			<-work
			require.NoError(t, r.Enrol(enrolment(box)))
		}
		synctest.Wait()
		require.Len(t, r.All(), 1)
		r.made("JOB")
	})
}
