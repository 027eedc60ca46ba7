package pool_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

func user(t *testing.T, err error) *fiscal.UserError {
	t.Helper()
	var u *fiscal.UserError
	require.ErrorAs(t, err, &u)
	require.NotEmpty(t, u.Message)
	return u
}

// Each manual operation, done and turned down.
func TestOperate(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		op     pool.Operation
		before func(*register)
		calls  []string // that change something
		kind   fiscal.DocumentKind
		class  fiscal.Class
		code   string
	}{
		{name: "open", op: pool.OpenShift, before: func(b *register) { b.shift.Open = false }, calls: []string{"shift open"}, kind: fiscal.KindShiftOpen},
		{name: "open, open already", op: pool.OpenShift, class: fiscal.ClassConflict, code: "shift_open"},
		{name: "open, answer lost", op: pool.OpenShift, before: func(b *register) {
			b.shift.Open = false
			b.faults["shift open"] = []fault{{commit: true, err: errSilent}}
		}, calls: []string{"shift open"}, kind: fiscal.KindShiftOpen},
		{name: "close", op: pool.CloseShift, calls: []string{"shift close"}, kind: fiscal.KindShiftClose},
		{name: "close, closed already", op: pool.CloseShift, before: func(b *register) { b.shift.Open = false }, class: fiscal.ClassConflict, code: "shift_closed"},
		{name: "close over what hangs", op: pool.CloseShift, before: func(b *register) { b.open = 3 }, calls: []string{"cancel", "shift close"}, kind: fiscal.KindShiftClose},
		{name: "report", op: pool.Report, calls: []string{"report"}, kind: fiscal.KindSettlement},
		{name: "report, not in this family", op: pool.Report, before: func(b *register) { b.bare = true }, class: fiscal.ClassConflict, code: "not_supported"},
		{name: "clock", op: pool.SetClock, before: func(b *register) { b.shift.Open, b.skew = false, 40*time.Second }, calls: []string{"set clock"}},
		{name: "clock with the shift open", op: pool.SetClock, class: fiscal.ClassConflict, code: "shift_open"},
		{name: "clock, not in this family", op: pool.SetClock, before: func(b *register) { b.bare, b.shift.Open = true, false }, class: fiscal.ClassConflict, code: "not_supported"},
		{name: "clock before the last document", op: pool.SetClock, before: func(b *register) {
			b.shift.Open, b.skew = false, time.Hour
			b.archive[len(b.archive)-1].Time = b.clock()
		}, class: fiscal.ClassConflict, code: "clock_before_last_document"},
		{name: "nothing known", op: "dance", class: fiscal.ClassMalformed, code: "unknown_operation"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				if tc.before != nil {
					tc.before(box)
				}
				r := one(t, box)
				box.forget()
				doc, err := r.Operate(t.Context(), eip, tc.op)
				require.Equal(t, tc.calls, box.calls("shift open", "shift close", "report", "set clock", "cancel"))
				if tc.code != "" {
					u := user(t, err)
					require.Equal(t, tc.code, u.Code)
					require.Equal(t, tc.class, u.Class)
					return
				}
				require.NoError(t, err)
				if tc.kind == 0 {
					require.Nil(t, doc)
				} else {
					require.Equal(t, tc.kind, doc.Kind)
					require.Equal(t, box.last(), doc.Number)
				}
				require.Equal(t, "status", box.calls("status", "document")[0], "the snapshot shows the result at once")
				require.Equal(t, box.last(), r.view().Status.Document.Last)
			})
		})
	}
}

// The clock is set to the host's time in the zone of the circuit.
func TestOperateSetsTheClock(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := newRegister()
		box.skew = -2 * time.Hour
		r := one(t, box)
		require.Contains(t, r.gates(), fiscal.GateClockSkew)
		_, err := r.Operate(t.Context(), eip, pool.SetClock)
		require.NoError(t, err)
		require.Equal(t, fiscal.DeviceTimeAt(time.Now(), moscow), box.clock())
		synctest.Wait()
		require.True(t, r.view().Ready(), "the gate opens with the operation, not with the next poll")
	})
}

// While a receipt is in doubt, another document would destroy the proof.
func TestOperateWhileInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		r.Hold(eip, "01JOB")
		box.forget()
		for _, op := range []pool.Operation{pool.OpenShift, pool.CloseShift, pool.SetClock, pool.Report} {
			_, err := r.Operate(t.Context(), eip, op)
			u := user(t, err)
			require.Equal(t, "device_in_doubt", u.Code)
			require.Equal(t, fiscal.ClassConflict, u.Class)
			require.Contains(t, u.Message, "01JOB")
		}
		require.Empty(t, box.calls())
	})
}

func TestOperateOnADeviceThatIsNotThere(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := newRack(t)
		_, err := r.Operate(t.Context(), eip, pool.Report)
		require.Equal(t, "device_inactive", user(t, err).Code)

		box.breaks("open", fault{err: errNoLine}, fault{err: errNoLine})
		r.add(box)
		_, err = r.Operate(t.Context(), eip, pool.Report)
		require.Equal(t, fiscal.ClassUnreachable, user(t, err).Class)
		_, err = r.Operate(t.Context(), eip, pool.Report)
		require.NoError(t, err, "an operation connects by itself")
	})
}

// A failure of the register comes back as it is, and a broken line is made anew.
func TestOperateThatFails(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		fall   fault
		closed int
	}{
		{"refused", fault{err: errRefused}, 0},
		{"lost", fault{err: errSilent}, 1},
		{"panic", fault{panics: "nil map"}, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				box.breaks("report", tc.fall)
				doc, err := r.Operate(t.Context(), eip, pool.Report)
				require.Error(t, err)
				require.Nil(t, doc)
				var e *fiscal.Error
				require.True(t, errors.As(err, &e))
				require.Equal(t, eip, e.Device)
				require.Len(t, box.calls("close"), tc.closed)
				_, held := r.Holds(eip)
				require.False(t, held, "no receipt is in doubt")
				time.Sleep(time.Minute)
				r.made("JOB")
			})
		})
	}
}
