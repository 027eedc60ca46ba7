package pool_test

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

// proven makes a receipt and says whether its record counted on the register to keep the stamp.
func (r *rack) proven(receipt fiscal.Receipt) bool {
	r.t.Helper()
	var is bool
	out := r.Register(r.t.Context(), eip, pool.Receipt{Job: "JOB", Receipt: receipt, Begin: func(b fiscal.Baseline) error {
		is = b.Proven
		return nil
	}})
	require.NoError(r.t, out.Err)
	synctest.Wait()
	return is
}

// trials is how many documents were read from the archive.
func trials(box *register) (n int) {
	for _, c := range box.calls() {
		if strings.HasPrefix(c, "document ") {
			n++
		}
	}
	return n
}

// Whether a register keeps a stamp is tried once, with the first receipt that carries one, after its caller has the answer.
func TestStampIsTriedOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.slow("document 3", time.Minute)
		at := time.Now()
		require.False(t, r.proven(sale(100)), "nothing is known before the first")
		require.Equal(t, at, time.Now(), "the answer does not wait for the trial")
		time.Sleep(2 * time.Minute)
		for range 5 {
			require.True(t, r.proven(sale(100)))
		}
		require.Equal(t, 1, trials(box))

		// A refund carries its stamp in another tag, which is another question (fiscal.ChooseStamp).
		refund := sale(100)
		refund.Operation = fiscal.SellRefund
		require.False(t, r.proven(refund))
		require.True(t, r.proven(refund))
		require.True(t, r.proven(sale(100)))
		require.Equal(t, 2, trials(box))

		// With both places taken by the client there is no stamp, and nothing to try.
		both := sale(100)
		both.CheckProps, both.UserProps = "order 7", &fiscal.UserProps{Name: "shop", Value: "north"}
		require.False(t, r.proven(both))
		require.False(t, r.proven(both))
		require.Equal(t, 2, trials(box))
	})
}

// A register that drops the stamp, or whose archive does not show it, is never counted on; it works all the same.
func TestStampThatIsNotKept(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*register){
		"dropped":               func(b *register) { b.drops = true },
		"no content":            func(b *register) { b.short = true },
		"no document":           func(b *register) { b.lost[3] = true },
		"the archive is closed": func(b *register) { b.always["document 3"] = errRefused },
		"it needs a person":     func(b *register) { b.always["document 3"] = errPerson },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				change(box)
				r := one(t, box)
				for range 4 {
					require.False(t, r.proven(sale(100)))
					require.True(t, r.view().Ready(), "the register makes receipts, whatever its archive shows")
				}
				require.Equal(t, 1, trials(box))
				require.Empty(t, box.calls("close"), "the line is sound")
				require.Equal(t, 1, r.logged("stamp"))
			})
		})
	}
}

// A line that fails in the trial leaves it to the next receipt.
func TestStampTrialOnALostLine(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{"lost": {err: errSilent}, "panic": {panics: "nil map"}} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				box.breaks("document 3", f)
				require.False(t, r.proven(sale(100)))
				require.Len(t, box.calls("close"), 1)
				require.Equal(t, []fiscal.GateCode{fiscal.GateOffline}, r.gates())
				_, held := r.Holds(eip)
				require.False(t, held)
				time.Sleep(poll)
				synctest.Wait()
				require.False(t, r.proven(sale(100)))
				require.True(t, r.proven(sale(100)))
			})
		})
	}
}

// A receipt whose answer was lost proves nothing about stamps.
func TestStampTrialNeedsAnAnswer(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.breaks("register", fault{commit: true, err: errSilent}, fault{err: errors.New("EOF")})
		for range 2 {
			require.Error(t, r.make("JOB").Err)
			r.Release(eip)
			time.Sleep(time.Minute)
		}
		require.Zero(t, trials(box))
		require.False(t, r.proven(sale(100)))
		require.True(t, r.proven(sale(100)))
	})
}

// What was seen holds for the FN it was seen on, through lost lines, and for no other.
func TestStampTrialIsOfOneFN(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := newRack(t)
		r.add(box, func(e *pool.Enrolment) { e.Expect = nil })
		require.False(t, r.proven(sale(100)))
		require.True(t, r.proven(sale(100)))
		box.breaks("status", fault{err: errSilent})
		time.Sleep(2 * poll)
		require.True(t, r.proven(sale(100)))
		box.set(func(b *register) { b.id.FN = fnB })
		time.Sleep(2 * poll)
		require.False(t, r.proven(sale(100)))
		require.True(t, r.proven(sale(100)))
	})
}
