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

// gaps are the pauses between the tries to connect.
func gaps(at []time.Time) (list []time.Duration) {
	for i := 1; i < len(at); i++ {
		list = append(list, at[i].Sub(at[i-1]))
	}
	return list
}

// never makes a method fail for good.
func (r *register) never(what string, err error) {
	r.set(func(r *register) { r.always[what] = err })
}

// again ends never.
func (r *register) again(what string) { r.set(func(r *register) { delete(r.always, what) }) }

// design.md §12: reconnect backoff 0.5 s … 30 s with jitter.
func TestReconnectBackoff(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		box.never("open", errNoLine)
		r := one(t, box)
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		pauses := gaps(box.times("open"))
		seen := map[time.Duration]bool{}
		for i, p := range pauses {
			require.GreaterOrEqual(t, p, 500*time.Millisecond, "pause %d", i)
			require.LessOrEqual(t, p, 30*time.Second, "pause %d", i)
			seen[p] = true
		}
		require.LessOrEqual(t, pauses[0], time.Second, "the first tries come soon")
		require.Greater(t, pauses[len(pauses)-1], 10*time.Second, "the later ones do not hammer")
		require.Greater(t, len(seen), len(pauses)/2, "a rack that lost its switch must not come back in step")

		require.Equal(t, []fiscal.GateCode{fiscal.GateOffline}, r.gates())
		require.Contains(t, r.view().Gates[0].Message, "connection refused")
		require.Equal(t, []string{"closed"}, r.told(fiscal.GateOffline), "one event, however many tries")
		require.Equal(t, 1, r.logged("gate closed", "offline"))

		box.again("open")
		time.Sleep(30 * time.Second)
		synctest.Wait()
		require.True(t, r.view().Ready())
		require.Equal(t, []string{"closed", "opened"}, r.told(fiscal.GateOffline))
		require.Equal(t, 1, r.logged("gate opened", "offline"))

		// After a session the pauses begin small again.
		box.forget()
		box.never("open", errNoLine)
		box.never("status", errSilent)
		time.Sleep(2 * poll)
		synctest.Wait()
		require.LessOrEqual(t, gaps(box.times("open"))[0], 2*time.Second)
	})
}

// design.md §12: a device with an unsettled job is retried at least every 2 s.
func TestReconnectWhileInDoubt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.never("open", errNoLine)
		box.never("status", errSilent)
		time.Sleep(10 * time.Minute)
		box.forget()
		r.Hold(eip, "JOB")
		time.Sleep(30 * time.Second) // the pause that was begun before
		synctest.Wait()
		box.forget()
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		for i, p := range gaps(box.times("open")) {
			require.LessOrEqual(t, p, 2*time.Second, "pause %d", i)
			require.GreaterOrEqual(t, p, 500*time.Millisecond, "pause %d", i)
		}
	})
}

// A device that falls in doubt in the middle of a long pause does not wait for the end of that pause.
func TestHoldCutsALongPauseShort(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.never("open", errNoLine)
		box.never("status", errSilent)
		time.Sleep(10 * time.Minute)
		last := len(box.times("open"))
		for len(box.times("open")) == last { // a long pause begins now
			time.Sleep(100 * time.Millisecond)
		}
		at := time.Now()
		r.Hold(eip, "JOB")
		box.forget()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.LessOrEqual(t, box.times("open")[0].Sub(at), 2*time.Second)
	})
}

// design.md §6: a worker identifies on each connect, and refuses to serve another serial or FN than the one activated.
func TestAnotherRegisterAnswers(t *testing.T) {
	t.Parallel()
	swap := map[string]func(*register){
		"serial": func(b *register) { b.id.Serial = "0000000000099999" },
		"fn":     func(b *register) { b.id.FN = fnB },
		"both":   func(b *register) { b.id.Serial, b.id.FN = "0000000000099999", fnB },
	}
	for name, change := range swap {
		t.Run("on connect, "+name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := newRack(t)
				e := enrolment(box)
				box.set(change)
				r.add(box, func(n *pool.Enrolment) { *n = e })
				refuses(t, r, box, fiscal.GateIdentityChanged)
			})
		})
		t.Run("after a lost line, "+name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				r.made("JOB")
				box.breaks("status", fault{err: errSilent})
				box.set(change)
				time.Sleep(2 * poll)
				synctest.Wait()
				refuses(t, r, box, fiscal.GateIdentityChanged)
				require.Equal(t, []string{"closed"}, r.told(fiscal.GateIdentityChanged))
			})
		})
	}
	t.Run("seen by a poll", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			box := openedShift()
			r := one(t, box)
			box.set(swap["fn"])
			time.Sleep(poll + time.Second)
			synctest.Wait()
			refuses(t, r, box, fiscal.GateIdentityChanged)
			require.Equal(t, fnB, r.view().Identity.FN, "the snapshot shows what is there")
			box.set(func(b *register) { b.id.FN = fnA })
			time.Sleep(poll + time.Second)
			synctest.Wait()
			r.made("JOB")
		})
	})
	t.Run("seen by the receipt", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			box := openedShift()
			r := one(t, box)
			box.set(swap["fn"]) // between two polls
			out := r.Register(t.Context(), eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: func(fiscal.Baseline) error {
				t.Error("no record may be written for another FN")
				return nil
			}})
			require.Error(t, out.Err)
			require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
			require.Empty(t, box.calls("register"))
			time.Sleep(2 * time.Minute)
			synctest.Wait()
			refuses(t, r, box, fiscal.GateIdentityChanged)
		})
	})
	t.Run("never activated", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			box := openedShift()
			r := newRack(t)
			r.add(box, func(e *pool.Enrolment) { e.Expect = nil })
			r.made("JOB")
		})
	})
}

// refuses asserts that a gate is closed and that the worker itself keeps to it.
func refuses(t *testing.T, r *rack, box *register, gate fiscal.GateCode) {
	t.Helper()
	require.Contains(t, r.gates(), gate)
	box.forget()
	out := r.Register(context.Background(), eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: func(fiscal.Baseline) error {
		t.Errorf("a receipt was begun although the gate %s is closed", gate)
		return nil
	}})
	require.Error(t, out.Err)
	require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
	require.Empty(t, box.calls("register", "shift open", "shift close"))
	if gate == fiscal.GateInDoubt {
		require.ErrorContains(t, out.Err, "is not settled")
	} else {
		require.ErrorContains(t, out.Err, string(gate))
	}
}

// A session that fails is dropped, what was last known stays in the snapshot, and the next one identifies again.
func TestLostSession(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		seen := r.view().SeenAt
		box.breaks("status", fault{err: errSilent})
		box.breaks("open", fault{err: errNoLine})
		box.forget()
		time.Sleep(poll)
		synctest.Wait()
		require.Equal(t, []string{"status", "close"}, box.calls())
		require.Equal(t, []fiscal.GateCode{fiscal.GateOffline}, r.gates())
		require.Contains(t, r.view().Gates[0].Message, "no answer in time")
		require.NotNil(t, r.view().Identity)
		require.NotNil(t, r.view().Status)
		require.Equal(t, seen, r.view().SeenAt)
		time.Sleep(poll)
		synctest.Wait()
		require.Equal(t, []string{"status", "close", "open", "open", "identify", "status"}, box.calls()[:6])
		require.True(t, r.view().Ready())
	})
}

// A device whose identification fails leaves no line behind.
func TestFailedIdentification(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		box.breaks("identify", fault{err: errSilent})
		r := one(t, box)
		require.Equal(t, []string{"open", "identify", "close"}, box.calls())
		require.Equal(t, []fiscal.GateCode{fiscal.GateOffline}, r.gates())
		require.Nil(t, r.view().Identity)
		time.Sleep(poll)
		synctest.Wait()
		require.True(t, r.view().Ready())
	})
}

// A worker that is asked for a receipt while it waits for its next try does not wait: it connects.
func TestReceiptConnects(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		box.breaks("open", fault{err: errNoLine}, fault{err: errNoLine})
		r := one(t, box)
		out := r.make("JOB")
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
		require.ErrorContains(t, out.Err, "connection refused")
		r.made("JOB")
	})
}

// An idle rack must cost next to nothing: no loop turns without a reason.
func TestIdleWorkerSleeps(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		changes := r.changes()
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Equal(t, 720, len(box.calls("status"))-1)
		require.Equal(t, changes, r.changes(), "nobody is woken for news that are none")
	})
}

// A register that needed a person may have been registered anew by one: who it is, is read again before its next receipt.
func TestIdentityIsReadAgainAfterAFault(t *testing.T) {
	t.Parallel()
	t.Run("the same register", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			box := openedShift()
			r := one(t, box)
			box.breaks("register", fault{err: errPerson})
			require.Error(t, r.make("JOB").Err)
			box.set(func(b *register) { b.id.RNM, b.id.TaxSystems = "0000000009999999", fiscal.TaxOSN })
			out := r.make("JOB")
			require.NoError(t, out.Err)
			require.Equal(t, "0000000009999999", out.Identity.RNM)
			require.Equal(t, fiscal.TaxOSN, r.view().Identity.TaxSystems, "the choice sees it too")
			box.forget()
			r.made("JOB")
			require.Empty(t, box.calls("identify"), "and not before every receipt")
		})
	})
	t.Run("another taxpayer", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			box := openedShift()
			r := one(t, box)
			box.breaks("register", fault{err: errPerson})
			require.Error(t, r.make("JOB").Err)
			box.set(func(b *register) { b.id.INN = "500100732259" })
			out := r.Register(t.Context(), eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: func(fiscal.Baseline) error {
				t.Error("a receipt was begun under another INN")
				return nil
			}})
			require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
			require.ErrorContains(t, out.Err, string(fiscal.GateWrongINN))
		})
	})
}
