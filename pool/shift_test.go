package pool_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

// steps are the calls that make documents, and where the record was written.
func steps(box *register) []string {
	return box.calls("shift open", "shift close", "begin", "register")
}

// receipt makes a receipt whose Begin leaves a note in the diary.
func (r *rack) receipt(box *register) pool.Outcome {
	return r.Register(r.t.Context(), eip, pool.Receipt{Job: "JOB", Receipt: sale(15000), Begin: func(b fiscal.Baseline) error {
		box.note("begin")
		if b.LastFD != box.last() {
			return fmt.Errorf("the baseline is %d, the last document is %d", b.LastFD, box.last())
		}
		return nil
	}})
}

// design.md §6: shifts open on demand. Their documents come before the baseline.
func TestShiftOpensOnDemand(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := newRegister()
		r := one(t, box)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, steps(box), "without demand nothing is opened")
		require.True(t, r.view().Ready())
		require.NoError(t, r.receipt(box).Err)
		require.NoError(t, r.receipt(box).Err)
		require.Equal(t, []string{"shift open", "begin", "register", "begin", "register"}, steps(box))
		require.Equal(t, []fiscal.Cashier{{Name: "Ivanova", INN: "500100732259"}}, box.cashiers)
		require.True(t, r.view().Status.Shift.Open)
		require.EqualValues(t, 1, r.view().Status.Shift.Number)
	})
}

// design.md §6: shifts close before 24 h of age, by default at 23 h 30 m.
func TestOldShiftIsRenewed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		time.Sleep(23*time.Hour + 29*time.Minute)
		require.NoError(t, r.receipt(box).Err)
		require.Equal(t, []string{"begin", "register"}, steps(box))
		time.Sleep(time.Minute + time.Second)
		require.NoError(t, r.receipt(box).Err)
		require.NoError(t, r.receipt(box).Err)
		require.Equal(t, []string{"begin", "register", "shift close", "shift open", "begin", "register", "begin", "register"}, steps(box))
		require.EqualValues(t, 2, r.view().Status.Shift.Number)
	})
}

// The age is that of the register's own clock, which stands still between polls.
func TestShiftAgesBetweenPolls(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box, func(o *pool.Options) { o.PollInterval = 48 * time.Hour })
		time.Sleep(23*time.Hour + 31*time.Minute)
		require.NoError(t, r.receipt(box).Err)
		require.Equal(t, []string{"shift close", "shift open", "begin", "register"}, steps(box))
	})
}

// A register that does not tell when its shift was opened is asked to work until it refuses.
func TestShiftOfUnknownAge(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		box.shift.OpenedAt = fiscal.DeviceTime{}
		r := one(t, box)
		time.Sleep(48 * time.Hour)
		require.NoError(t, r.receipt(box).Err)
		require.Equal(t, []string{"begin", "register"}, steps(box))
	})
}

// design.md §6: a device refusing with "shift over 24 h" is renewed and goes on.
func TestExpiredShiftIsRenewedAtTheNextReceipt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.breaks("register", fault{err: fail(fiscal.Attention, fiscal.Nothing, fiscal.ErrShiftExpired)})
		out := r.receipt(box)
		require.ErrorIs(t, out.Err, fiscal.ErrShiftExpired)
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
		notTheReceiptsFault(t, out.Err)
		require.True(t, r.view().Ready(), "it is as good as any: the next receipt renews the shift")
		require.NoError(t, r.receipt(box).Err)
		require.NoError(t, r.receipt(box).Err)
		require.Equal(t, []string{"begin", "register", "shift close", "shift open", "begin", "register", "begin", "register"}, steps(box))
	})
}

// A register that calls every shift expired, new ones too, must not fill its storage with shift reports.
func TestShiftThatIsAlwaysExpired(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.set(func(b *register) {
			b.always["register"] = fail(fiscal.Attention, fiscal.Nothing, fiscal.ErrShiftExpired)
		})
		last := box.last()
		for range 200 {
			require.ErrorIs(t, r.make("JOB").Err, fiscal.ErrShiftExpired)
			time.Sleep(time.Minute)
		}
		require.LessOrEqual(t, box.last()-last, fiscal.DocNumber(10), "200 minutes of trying")
		box.again("register")
		time.Sleep(2 * time.Minute)
		require.NoError(t, r.receipt(box).Err)
	})
}

// Somebody else may have closed the shift that was found expired: there is nothing left to close then.
func TestExpiredShiftThatIsClosedAlready(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.breaks("register", fault{err: fail(fiscal.Attention, fiscal.Nothing, fiscal.ErrShiftExpired)})
		require.Error(t, r.receipt(box).Err)
		box.set(func(b *register) { b.setShift(false) })
		require.NoError(t, r.receipt(box).Err)
		require.NoError(t, r.receipt(box).Err)
		require.Equal(t, []string{"begin", "register", "shift open", "begin", "register", "begin", "register"}, steps(box))
	})
}

// A lost answer to a shift report is settled by the FN's own flag at once. Whatever comes of it, it is no receipt: the
// device is not held and the job is sure that nothing was made.
func TestLostAnswerOfAShiftReport(t *testing.T) {
	t.Parallel()
	old := func(b *register) { b.shift.OpenedAt = day(1999, 12, 30) }
	none := func(b *register) { b.shift.Open = false }
	for _, tc := range []struct {
		name   string
		before func(*register)
		breaks string
		fall   fault
		last   []fault // of the reads of the FN's state
		want   []string
		made   bool
	}{
		{name: "opened, answer lost", before: none, breaks: "shift open", fall: fault{commit: true, err: errSilent},
			want: []string{"shift open", "begin", "register"}, made: true},
		{name: "not opened, answer lost", before: none, breaks: "shift open", fall: fault{err: errSilent}, want: []string{"shift open"}},
		{name: "opened, and the state cannot be read", before: none, breaks: "shift open", fall: fault{commit: true, err: errSilent},
			last: []fault{{}, {err: errSilent}}, want: []string{"shift open"}},
		{name: "opened, and it says so with an error", before: none, breaks: "shift open",
			fall: fault{commit: true, err: fail(fiscal.Attention, fiscal.Done, errors.New("paper"))},
			want: []string{"shift open", "begin", "register"}, made: true},
		{name: "refused", before: none, breaks: "shift open", fall: fault{err: errRefused}, want: []string{"shift open"}},
		{name: "closed, answer lost", before: old, breaks: "shift close", fall: fault{commit: true, err: errSilent},
			want: []string{"shift close", "shift open", "begin", "register"}, made: true},
		{name: "not closed, answer lost", before: old, breaks: "shift close", fall: fault{err: errSilent}, want: []string{"shift close"}},
		{name: "close refused", before: old, breaks: "shift close", fall: fault{err: errRefused}, want: []string{"shift close"}},
		{name: "closed and then not opened", before: old, breaks: "shift open", fall: fault{err: errSilent}, want: []string{"shift close", "shift open"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				tc.before(box)
				r := one(t, box)
				box.breaks(tc.breaks, tc.fall)
				box.breaks("last", tc.last...)
				out := r.receipt(box)
				require.Equal(t, tc.want, steps(box))
				_, held := r.Holds(eip)
				require.False(t, held)
				if tc.made {
					require.NoError(t, out.Err)
					require.True(t, r.view().Status.Shift.Open)
					return
				}
				require.Error(t, out.Err)
				require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
				notTheReceiptsFault(t, out.Err)
				// The next receipt finds out by itself how things stand.
				time.Sleep(2 * time.Minute)
				require.NoError(t, r.receipt(box).Err)
			})
		})
	}
}

// A family that opens no shifts works as long as the shift is open.
func TestFamilyWithoutShifts(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		box.bare = true
		r := one(t, box)
		r.made("JOB")
		box.set(func(b *register) { b.shift.Open = false })
		out := r.make("JOB")
		require.ErrorContains(t, out.Err, "opens no shifts")
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
	})
}

// design.md §6: the gate shift_closing is shown like every gate while a shift is being closed.
func TestShiftClosingIsShown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.slow("shift close", 10*time.Second)
		done := later(func() {
			_, err := r.Operate(t.Context(), eip, pool.CloseShift)
			require.NoError(t, err)
		})
		time.Sleep(time.Second)
		synctest.Wait()
		require.Contains(t, r.gates(), fiscal.GateShiftClosing)
		<-done
		synctest.Wait()
		require.True(t, r.view().Ready())
		require.Equal(t, []string{"closed", "opened"}, r.told(fiscal.GateShiftClosing))
	})
}
