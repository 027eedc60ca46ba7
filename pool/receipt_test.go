package pool_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

// design.md §5.1: the baseline is read, made durable, and only then the first byte of the receipt is sent.
func TestBeginComesBetweenBaselineAndReceipt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		box.foreign(700)
		r := one(t, box)
		box.forget()
		receipt := sale(15000)
		var baseline fiscal.Baseline
		started := time.Now()
		out := r.Register(t.Context(), eip, pool.Receipt{Job: "01JOB", Receipt: receipt, Begin: func(b fiscal.Baseline) error {
			baseline = b
			box.note("begin")
			return nil
		}})
		require.NoError(t, out.Err)
		require.Equal(t, []string{"last", "begin", "register"}, box.talk())
		stamp := fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: "01JOB"}
		require.Equal(t, fiscal.Baseline{
			FN: fnA, Serial: serial, LastFD: 3, Stamp: stamp, Marks: fiscal.Marks{CheckProps: "01JOB"}, At: started,
		}, baseline)
		require.Equal(t, box.id, out.Identity)
		require.Equal(t, box.archive[3], *out.Document)
		require.Equal(t, baseline.Marks, out.Document.Marks)
		require.Empty(t, out.Exchanges)
		_, held := r.Holds(eip)
		require.False(t, held)
	})
}

// The baseline is read in the same turn: what happened since the last poll counts.
func TestBaselineIsFresh(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.foreign(700) // nobody has polled since
		var baseline fiscal.Baseline
		out := r.Register(t.Context(), eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: func(b fiscal.Baseline) error {
			baseline = b
			return nil
		}})
		require.NoError(t, out.Err)
		require.EqualValues(t, 3, baseline.LastFD)
	})
}

// design.md §5.1, style.md §4.1: if the durable record cannot be written, nothing is sent.
func TestFailedBeginSendsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		full := errors.New("no space left on device")
		last := box.last()
		out := r.Register(t.Context(), eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: func(fiscal.Baseline) error { return full }})
		require.ErrorIs(t, out.Err, full)
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
		require.Equal(t, fiscal.Internal, fiscal.KindOf(out.Err))
		require.Equal(t, last, box.last())
		require.Empty(t, box.calls("register"))
		_, held := r.Holds(eip)
		require.False(t, held)
	})
}

// A Begin that dies must not look as if nothing could have been written and something sent.
func TestPanicInBegin(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		out := r.Register(t.Context(), eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: func(fiscal.Baseline) error { panic("nil map") }})
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
		require.Empty(t, box.calls("register"))
		time.Sleep(2 * time.Minute)
		r.made("JOB")
	})
}

// style.md §3: once the first byte may be on the wire, the caller's cancelation no longer stops the receipt, and its
// outcome is delivered and true.
func TestCallerGivesUp(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		fall fault
	}{
		{name: "made"},
		{name: "made and lost", fall: fault{commit: true, err: errSilent}},
		{name: "not made and lost", fall: fault{err: errSilent}},
		{name: "refused", fall: fault{err: errRefused}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				box.slow("register", time.Minute)
				box.breaks("register", tc.fall)
				ctx, cancel := context.WithCancel(t.Context())
				var out pool.Outcome
				done := later(func() { out = r.Register(ctx, eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: begun}) })
				time.Sleep(time.Second)
				cancel()
				synctest.Wait()
				require.False(t, over(done), "the answer waits for the truth")
				<-done
				if tc.fall.err == nil {
					require.NoError(t, out.Err)
					require.Equal(t, box.last(), out.Document.Number)
					return
				}
				require.ErrorContains(t, out.Err, tc.fall.err.Error())
				require.Equal(t, fiscal.KindOf(tc.fall.err), fiscal.KindOf(out.Err))
				require.Equal(t, fiscal.EffectOf(tc.fall.err), fiscal.EffectOf(out.Err))
			})
		})
	}
}

// A caller that gives up before there is a place in the device's mailbox has sent nothing.
func TestCallerGivesUpInTime(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		block := make(chan struct{})
		box.breaks("register", fault{until: block})
		ctx, cancel := context.WithCancel(t.Context())
		outs := make(chan pool.Outcome, 32)
		for range 32 {
			go func() {
				outs <- r.Register(ctx, eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: begun})
			}()
		}
		synctest.Wait()
		cancel()
		synctest.Wait()
		gaveUp := len(outs)
		require.Positive(t, gaveUp)
		for range gaveUp {
			out := <-outs
			require.ErrorIs(t, out.Err, context.Canceled)
			require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
		}
		close(block)
		made := 0
		for range 32 - gaveUp {
			if out := <-outs; out.Err == nil {
				made++
			}
		}
		require.EqualValues(t, made+2, box.last(), "each outcome told the truth")
	})
}

// design.md §5.4 and style.md §4.4: a device with an unsettled job registers nothing, whoever asks; it can be looked at.
func TestUnknownHoldsTheDevice(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		fall   fault
		effect fiscal.Effect
	}{
		{"made, answer lost", fault{commit: true, err: errSilent}, fiscal.Unknown},
		{"not made, answer lost", fault{err: errSilent}, fiscal.Unknown},
		{"made, then a fault", fault{commit: true, err: fail(fiscal.Attention, fiscal.Done, errors.New("paper"))}, fiscal.Done},
		{"an error of no known type", fault{err: errors.New("EOF")}, fiscal.Unknown},
		{"a panic after the commit", fault{commit: true, panics: "nil map"}, fiscal.Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				box.breaks("register", tc.fall)
				out := r.make("JOB1")
				require.Error(t, out.Err)
				require.Nil(t, out.Document)
				require.Equal(t, tc.effect, fiscal.EffectOf(out.Err))
				require.NotEmpty(t, out.Exchanges, "the evidence")
				require.Equal(t, "register", out.Exchanges[len(out.Exchanges)-1].Command)
				job, held := r.Holds(eip)
				require.True(t, held)
				require.EqualValues(t, "JOB1", job)
				require.Contains(t, r.gates(), fiscal.GateInDoubt)

				last := box.last()
				time.Sleep(2 * time.Minute)
				synctest.Wait()
				refuses(t, r, box, fiscal.GateInDoubt)
				require.Equal(t, last, box.last())
				f, err := r.Look(t.Context(), eip, fiscal.Baseline{FN: fnA, LastFD: 2}, func(fiscal.Document) bool { return false })
				require.NoError(t, err)
				require.Equal(t, last, f.After.Last)
				refuses(t, r, box, fiscal.GateInDoubt)

				r.Release(eip)
				synctest.Wait()
				require.True(t, r.view().Ready())
				require.Equal(t, []string{"closed", "opened"}, r.told(fiscal.GateInDoubt))
				r.made("JOB2")
			})
		})
	}
}

// A refusal with proof holds nothing, and the next receipt may come at once.
func TestRefusalHoldsNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.breaks("register", fault{err: errRefused})
		out := r.make("JOB1")
		require.Equal(t, fiscal.Refused, fiscal.KindOf(out.Err))
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
		require.EqualValues(t, 7, fiscal.CodeOf(out.Err))
		var e *fiscal.Error
		require.ErrorAs(t, out.Err, &e)
		require.Equal(t, eip, e.Device)
		require.True(t, r.view().Ready())
		r.made("JOB2")
	})
}

// A line that broke before anything was sent is made anew; the device is tried again as soon as it answers.
func TestLostLineOfAReceipt(t *testing.T) {
	t.Parallel()
	for _, kind := range []fiscal.Kind{fiscal.Link, fiscal.Protocol, fiscal.Offline} {
		t.Run(kind.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				box.forget()
				box.breaks("register", fault{err: fail(kind, fiscal.Nothing, errors.New("no byte was written"))})
				require.Error(t, r.make("JOB").Err)
				require.Equal(t, []string{"last", "register", "close"}, box.talk())
				require.Equal(t, []fiscal.GateCode{fiscal.GateOffline}, r.gates())
				time.Sleep(poll)
				synctest.Wait()
				r.made("JOB")
			})
		})
	}
}

// design.md §12: a hanging document is cancelled at the start of a job, and the baseline is read after that.
func TestHangingDocumentIsCancelled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.set(func(b *register) { b.open = 3 })
		box.forget()
		r.made("JOB")
		require.Equal(t, []string{"last", "cancel", "last", "register"}, box.talk())
		box.forget()
		r.made("JOB")
		require.Equal(t, []string{"last", "register"}, box.talk(), "nothing is cancelled where nothing hangs")
	})
}

// A document that cannot be cancelled would swallow the receipt's items: nothing is sent.
func TestHangingDocumentThatStays(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*register){
		"the cancel fails":       func(b *register) { b.faults["cancel"] = []fault{{err: errRefused}} },
		"the cancel is lost":     func(b *register) { b.faults["cancel"] = []fault{{err: errSilent}} },
		"the cancel has no use":  func(b *register) { b.stuck = true },
		"its end cannot be read": func(b *register) { b.faults["last"] = []fault{{}, {err: errSilent}} },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				box.set(func(b *register) { b.open = 3 })
				box.set(set)
				out := r.Register(t.Context(), eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: func(fiscal.Baseline) error {
					t.Error("a receipt was begun on top of another document")
					return nil
				}})
				require.Error(t, out.Err)
				require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err))
				notTheReceiptsFault(t, out.Err)
				require.Empty(t, box.calls("register"))
				_, held := r.Holds(eip)
				require.False(t, held)
			})
		})
	}
}

// notTheReceiptsFault asserts that the dispatcher will not refuse the job: only the answer to the receipt itself may say
// that no register will take it (design.md §12, Doubt).
func notTheReceiptsFault(t *testing.T, err error) {
	t.Helper()
	require.NotContains(t, []fiscal.Kind{fiscal.Refused, fiscal.Invalid}, fiscal.KindOf(err))
}

// domain/ffd.md §9: a register wants a cashier unless it is in automatic mode; a client's own is never replaced.
func TestCashier(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		r.made("JOB1")
		own := sale(100)
		own.Cashier = "Petrova"
		require.NoError(t, r.Register(t.Context(), eip, pool.Receipt{Job: "JOB2", Receipt: own, Begin: begun}).Err)
		box.set(func(b *register) { b.id.Modes = 0x04 })
		box.breaks("status", fault{err: errSilent})
		time.Sleep(3 * poll)
		r.made("JOB3")
		var names []string
		for _, receipt := range box.receipts {
			names = append(names, receipt.Cashier)
		}
		require.Equal(t, []string{"Ivanova", "Petrova", ""}, names)
		require.True(t, slices.ContainsFunc(box.receipts, func(c fiscal.Receipt) bool { return c.CashierINN == "500100732259" }))
	})
}
