package pool_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// A device on which two different receipts failed in a row steps aside for a growing while. One receipt that fails on it
// says little about it: the dispatcher keeps that one away.
func TestDeviceThatNeedsAPersonStepsAside(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		for range 5 {
			box.breaks("register", fault{err: errPerson})
			require.Error(t, r.make("01JOB").Err)
			synctest.Wait()
			require.True(t, r.view().Ready(), "one receipt, however often")
		}
		var last time.Duration
		for i := range 12 {
			box.breaks("register", fault{err: errPerson})
			require.Error(t, r.make(fiscal.JobID(fmt.Sprintf("%02dJOB", i+2))).Err)
			synctest.Wait()
			require.Equal(t, []fiscal.GateCode{fiscal.GateBusy}, r.gates(), "time %d", i)
			at, changes := time.Now(), r.changes()
			for !r.view().Ready() {
				time.Sleep(250 * time.Millisecond)
				synctest.Wait()
			}
			require.Greater(t, r.changes(), changes, "the dispatcher must be told, not left to find out")
			pause := time.Since(at)
			require.GreaterOrEqual(t, pause, last)
			require.LessOrEqual(t, pause, time.Minute)
			last = pause
		}
		require.Equal(t, time.Minute, last)
		r.made("20JOB")
		box.breaks("register", fault{err: errPerson})
		require.Error(t, r.make("21JOB").Err)
		synctest.Wait()
		require.True(t, r.view().Ready(), "a receipt in between forgives")
	})
}

// A device that cannot even begin a receipt steps aside at once, whoever's it is.
func TestDeviceThatCannotBeginStepsAside(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := newRegister()
		r := one(t, box)
		box.breaks("shift open", fault{err: errPerson})
		require.Error(t, r.make("01JOB").Err)
		synctest.Wait()
		require.Equal(t, []fiscal.GateCode{fiscal.GateBusy}, r.gates())
		time.Sleep(time.Second)
		synctest.Wait()
		require.True(t, r.view().Ready())
		r.made("01JOB")
	})
}

// Every gate that a snapshot may show holds at the worker too: the dispatcher chose by an older snapshot.
func TestWorkerKeepsToTheGates(t *testing.T) {
	t.Parallel()
	hot := 80
	for gate, change := range map[fiscal.GateCode]func(*register){
		fiscal.GateFNPhase:    func(b *register) { b.status.Phase = fiscal.PhaseArchive },
		fiscal.GateFNMissing:  func(b *register) { b.status.FNPresent = false },
		fiscal.GateFNCritical: func(b *register) { b.status.Critical = true },
		fiscal.GateClockSkew:  func(b *register) { b.skew = time.Hour },
		fiscal.GateTooHot:     func(b *register) { b.status.Temperature = &hot },
		fiscal.GateOFDOverdue: func(b *register) {
			b.status.OFD = fiscal.OFDQueue{Count: 1, First: 1, FirstTime: day(1999, 11, 1)}
		},
	} {
		t.Run(string(gate), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				box.set(change)
				time.Sleep(poll)
				synctest.Wait()
				refuses(t, r, box, gate)
				since := r.view().Gates[0].Since
				require.Equal(t, time.Now(), since)
				time.Sleep(10 * poll)
				synctest.Wait()
				require.Equal(t, since, r.view().Gates[0].Since, "kept while the gate stays closed")
				require.Equal(t, []string{"closed"}, r.told(gate), "one event for one change")
				require.Equal(t, 1, r.logged("gate closed", string(gate)))
				fresh := openedShift()
				box.set(func(b *register) { b.status, b.skew = fresh.status, 0 })
				time.Sleep(poll)
				synctest.Wait()
				require.Equal(t, []string{"closed", "opened"}, r.told(gate))
				r.made("JOB")
			})
		})
	}
}

// Temperature with hysteresis: closed at stop, open again only at resume; the others work meanwhile.
func TestHotDeviceCoolsDown(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		for _, step := range []struct {
			celsius int
			ready   bool
		}{{50, true}, {69, true}, {70, false}, {75, false}, {66, false}, {65, true}, {69, true}, {70, false}, {20, true}} {
			c := step.celsius
			box.set(func(b *register) { b.status.Temperature = &c })
			time.Sleep(poll)
			synctest.Wait()
			require.Equal(t, step.ready, r.view().Ready(), "%d °C", c)
		}
		require.Equal(t, []string{"closed", "opened", "closed", "opened"}, r.told(fiscal.GateTooHot))
	})
}
