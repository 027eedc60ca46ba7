package pool_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

// An idle device is asked for its status once in a poll interval, and for nothing else.
func TestIdleDeviceIsPolled(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		one(t, box)
		require.Equal(t, []string{"open", "identify", "status"}, box.calls())
		box.forget()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, slices.Repeat([]string{"status"}, 12), box.calls())
	})
}

// style.md §3: polling reads. Whatever a poll finds, it reports it and puts nothing right.
func TestPollChangesNothing(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.set(func(b *register) {
			b.open = 3 // a receipt was begun and never finished
			b.shift.OpenedAt = day(1999, 12, 1)
			b.skew = time.Hour
			b.status.Printer = 2
		})
		last := box.last()
		box.forget()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		require.Empty(t, slices.DeleteFunc(box.calls(), func(c string) bool { return c == "status" }))
		require.Equal(t, last, box.last())
		require.EqualValues(t, 3, box.open)
		require.Contains(t, r.gates(), fiscal.GateClockSkew)
	})
}

// design.md §6: a job goes before a poll, and a poll is skipped while a job waits.
func TestJobGoesBeforePoll(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.slow("register", 2*poll) // a poll falls due in the middle
		first := later(func() { r.made("JOB1") })
		synctest.Wait()
		second := later(func() { r.made("JOB2") })
		synctest.Wait()
		box.forget()
		<-first
		<-second
		require.Equal(t, []string{"last", "register"}, box.calls("last", "register", "status"), "the second receipt came before the poll that was due")
		time.Sleep(poll)
		synctest.Wait()
		require.Equal(t, []string{"last", "register", "status"}, box.calls("last", "register", "status"))
	})
}

// A job that comes during a poll is next, even when another poll is due by then.
func TestJobWaitsOnlyForThePollInWork(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.slow("status", 3*poll)
		time.Sleep(poll + time.Second) // in the middle of a slow poll
		box.forget()
		done := later(func() { r.made("JOB1") })
		<-done
		require.Equal(t, []string{"last", "register"}, box.calls("status", "last", "register"))
	})
}

// A device that always has work is looked at all the same: its temperature and its FN do not wait for a pause in trade.
func TestBusyDeviceIsPolledNowAndThen(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.slow("register", 300*time.Millisecond)
		box.forget()
		stop := time.Now().Add(2 * time.Minute)
		var feeders sync.WaitGroup
		for range 2 { // one is always waiting
			feeders.Go(func() {
				for time.Now().Before(stop) {
					r.made("JOB")
				}
			})
		}
		feeders.Wait()
		polls := len(box.calls("status"))
		require.GreaterOrEqual(t, polls, 3)
		require.LessOrEqual(t, polls, 24, "a poll must not come between every two receipts")
	})
}

// One goroutine does everything on a line: no two calls overlap, and nothing comes between the baseline and the receipt.
func TestNothingInterleaves(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		for i, what := range []string{"status", "last", "register", "shift open", "shift close", "identify", "document 1"} {
			box.slow(what, time.Duration(100+37*i)*time.Millisecond)
		}
		random := rand.New(rand.NewPCG(3, 4))
		var all sync.WaitGroup
		for range 12 {
			kind, start := random.IntN(4), time.Duration(random.IntN(20_000))*time.Millisecond
			all.Go(func() {
				time.Sleep(start)
				ctx := context.Background()
				switch kind {
				case 0, 1:
					out := r.Register(ctx, eip, pool.Receipt{Job: "JOB", Receipt: sale(100), Begin: func(fiscal.Baseline) error {
						box.note("begin")
						time.Sleep(poll) // a slow disk
						return nil
					}})
					assert.NoError(t, out.Err)
				case 2:
					_, err := r.Look(ctx, eip, fiscal.Baseline{FN: fnA}, func(fiscal.Document) bool { return true })
					assert.NoError(t, err)
				case 3:
					_, err := r.Operate(ctx, eip, pool.Report)
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
		require.Empty(t, box.overlaps)
		calls := box.calls()
		for i, c := range calls {
			if c == "begin" {
				require.Equal(t, "last", calls[i-1])
				require.Equal(t, "register", calls[i+1])
			}
		}
	})
}

// style.md §3: a panic in a driver ends the task, never the daemon. Before the record is written the effect is nothing,
// after it the receipt is in doubt.
func TestPanicInDriver(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		method string
		before func(*register)
		effect fiscal.Effect
	}{
		{method: "last", effect: fiscal.Nothing},
		{method: "cancel", before: func(b *register) { b.open = 3 }, effect: fiscal.Nothing},
		{method: "shift close", before: func(b *register) { b.shift.OpenedAt = day(1999, 12, 30) }, effect: fiscal.Nothing},
		{method: "shift open", before: func(b *register) { b.shift.Open = false }, effect: fiscal.Nothing},
		{method: "register", effect: fiscal.Unknown},
	} {
		t.Run(tc.method, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := newRack(t)
				if tc.before != nil {
					box.set(tc.before)
				}
				r.add(box)
				box.breaks(tc.method, fault{panics: "index out of range"})
				out := r.make("JOB1")
				require.Error(t, out.Err)
				require.Nil(t, out.Document)
				require.Equal(t, tc.effect, fiscal.EffectOf(out.Err))
				require.Equal(t, fiscal.Internal, fiscal.KindOf(out.Err))
				job, held := r.Holds(eip)
				require.Equal(t, tc.effect != fiscal.Nothing, held)
				if held {
					require.EqualValues(t, "JOB1", job)
					r.Release(eip)
				}
				time.Sleep(2 * time.Minute)
				r.made("JOB2")
			})
		})
	}
}

// A panic outside receipts is survived just as well.
func TestPanicInPollAndConnect(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"open", "identify", "status", "close"} {
		t.Run(method, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				box.breaks(method, fault{panics: "nil map", commit: method == "close"})
				r := one(t, box)
				if method == "close" {
					box.breaks("status", fault{err: errSilent}) // makes the worker close the line
					time.Sleep(poll)
				}
				time.Sleep(time.Minute)
				r.made("JOB")
			})
		})
	}
}

// Activation asks a device without a worker; a driver that dies of it takes nobody with it.
func TestPanicInInspect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := newRack(t)
		r.boxes[eip] = box
		box.breaks("identify", fault{panics: "nil map"})
		require.NotPanics(t, func() {
			_, _, err := r.Inspect(t.Context(), "fake", eip)
			require.Error(t, err)
		})
	})
}

func TestInspect(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := newRack(t)
		r.boxes[eip] = box
		id, status, err := r.Inspect(t.Context(), "fake", eip)
		require.NoError(t, err)
		require.Equal(t, box.id, id)
		require.Equal(t, fiscal.PhaseFiscal, status.Phase)
		require.Equal(t, []string{"open", "identify", "status", "close"}, box.calls())
		_, known := r.View(eip)
		require.False(t, known, "nothing is kept")

		for _, method := range []string{"open", "identify", "status"} {
			box.breaks(method, fault{err: errNoLine})
			_, _, err = r.Inspect(t.Context(), "fake", eip)
			require.ErrorIs(t, err, errNoLine, method)
		}
		_, _, err = r.Inspect(t.Context(), "fake", "10.9.9.9:1")
		require.ErrorContains(t, err, "not driven")
	})
}

// fiscal.DeviceView: Working says that a task is being executed right now, whichever.
func TestSnapshotShowsWork(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, method string
		task         func(r *rack)
	}{
		{"receipt", "register", func(r *rack) { r.make("JOB") }},
		{"look", "last", func(r *rack) {
			_, _ = r.Look(context.Background(), eip, fiscal.Baseline{FN: fnA}, func(fiscal.Document) bool { return false })
		}},
		{"operation", "report", func(r *rack) { _, _ = r.Operate(context.Background(), eip, pool.Report) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				box.slow(tc.method, time.Second)
				require.False(t, r.view().Working)
				done := later(func() { tc.task(r) })
				synctest.Wait()
				require.True(t, r.view().Working)
				changes := r.changes()
				<-done
				synctest.Wait()
				require.False(t, r.view().Working)
				require.Greater(t, r.changes(), changes, "whoever waits for the device must be told")
			})
		})
	}
}

// A snapshot is never changed after it was published.
func TestSnapshotsAreImmutable(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		before := r.view()
		last, receipts := before.Status.Document.Last, before.Receipts
		r.made("JOB")
		box.set(func(b *register) { b.status.Phase = fiscal.PhaseArchive })
		time.Sleep(poll)
		synctest.Wait()
		require.Equal(t, last, before.Status.Document.Last)
		require.Equal(t, receipts, before.Receipts)
		require.True(t, before.Ready())
		require.False(t, r.view().Ready())
		require.Equal(t, []*fiscal.DeviceView{r.view()}, r.Views(circuit))
		require.Equal(t, []*fiscal.DeviceView{r.view()}, r.All())
		require.Empty(t, r.Views(circuit+1))
	})
}

// What a view says follows the receipt, without waiting for the next poll.
func TestSnapshotFollowsTheReceipt(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := newRegister()
		r := one(t, box)
		box.slow("register", 400*time.Millisecond)
		doc := r.made("JOB1")
		v := r.view()
		require.EqualValues(t, 1, v.Receipts)
		require.Equal(t, 400*time.Millisecond, v.Service)
		require.Equal(t, doc.Number, v.Status.Document.Last)
		require.Equal(t, doc.Time, v.Status.LastTime)
		require.True(t, v.Status.Shift.Open)
		require.Equal(t, doc.Receipt, v.Status.Shift.Receipt)
		box.slow("register", 1200*time.Millisecond)
		for range 40 {
			r.made("JOB2")
		}
		require.InDelta(t, 1200, r.view().Service.Milliseconds(), 50, "the measured time follows the device")
	})
}

func TestExchangesAreKept(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.breaks("register", fault{err: errRefused})
		require.Error(t, r.make("JOB1").Err)
		time.Sleep(30 * poll)
		synctest.Wait()
		recent, failed, ok := r.Exchanges(eip)
		require.True(t, ok)
		require.Len(t, recent, 20)
		for i := range recent {
			require.Equal(t, "status", recent[i].Command)
			require.False(t, i > 0 && recent[i].At.Before(recent[i-1].At), "oldest first")
		}
		require.Len(t, failed, 1, "failures are kept longer")
		require.Equal(t, "register", failed[0].Command)
		_, _, ok = r.Exchanges("10.9.9.9:1")
		require.False(t, ok)
	})
}

func TestEnrolOfALineNobodyDrives(t *testing.T) {
	bubble(t, func(t *testing.T) {
		r := newRack(t)
		err := r.Enrol(enrolment(newRegister()))
		require.ErrorContains(t, err, "not driven")
		require.Empty(t, r.All())
		out := r.make("JOB")
		require.ErrorIs(t, out.Err, pool.ErrNotEnrolled)
		require.Equal(t, fiscal.Nothing, fiscal.EffectOf(out.Err), "nothing was sent")
		_, err = r.Look(t.Context(), eip, fiscal.Baseline{FN: fnA}, func(fiscal.Document) bool { return true })
		require.ErrorIs(t, err, pool.ErrNotEnrolled)
	})
}

// The sensor beside the register overrides what the register says; one that cannot tell leaves it.
func TestTemperatureOfTheShelf(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		own := 40
		box.status.Temperature = &own
		var shelf *int
		var mu sync.Mutex
		r := one(t, box, func(o *pool.Options) {
			o.Temperature = func(string, fiscal.DeviceID) *int {
				mu.Lock()
				defer mu.Unlock()
				return shelf
			}
		})
		require.Equal(t, 40, *r.view().Status.Temperature)
		hot := 71
		mu.Lock()
		shelf = &hot
		mu.Unlock()
		time.Sleep(poll)
		synctest.Wait()
		require.Equal(t, 71, *r.view().Status.Temperature)
		require.Equal(t, []fiscal.GateCode{fiscal.GateTooHot}, r.gates())
		require.Error(t, errors.Join(r.make("JOB").Err))
	})
}
