package dispatcher

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// Effect decides what becomes of a job, kind only tells refusals of the content from faults of the device. Every pair.
func TestFinish(t *testing.T) {
	t.Parallel()
	kinds := []fiscal.Kind{
		fiscal.Other, fiscal.Invalid, fiscal.Refused, fiscal.Busy, fiscal.Attention, fiscal.Offline, fiscal.Link, fiscal.Protocol,
		fiscal.Canceled, fiscal.Internal,
	}
	for _, effect := range []fiscal.Effect{fiscal.Unknown, fiscal.Nothing, fiscal.Done} {
		for _, kind := range kinds {
			t.Run(fmt.Sprintf("%s %s", effect, kind), func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					a := newBox("a")
					a.blind = errNoLine
					a.script = []turn{{lost: effect == fiscal.Done, err: failure(kind, effect, errors.New("it said so"))}}
					b := started(t, a)
					id := b.submit()
					time.Sleep(400 * time.Millisecond)
					synctest.Wait()
					job := b.job(id)
					first := job.Attempts[0]
					require.Equal(t, kind, first.Kind)
					require.EqualValues(t, 7, first.Code)
					require.NotNil(t, first.Baseline)
					require.False(t, first.EndedAt.IsZero())
					switch {
					case effect != fiscal.Nothing:
						require.Equal(t, fiscal.JobInDoubt.String(), job.State.String())
						require.NotEmpty(t, first.Evidence.Exchanges)
						require.Equal(t, id, b.fleet.held("a"))
						b.fleet.set(func() { a.blind = nil })
						b.ends(id, fiscal.JobMade)
						require.Empty(t, b.fleet.held("a"))
					case kind == fiscal.Refused || kind == fiscal.Invalid:
						require.Equal(t, fiscal.JobRefused.String(), job.State.String())
						require.Equal(t, "refused_by_device", job.Failure.Code)
						require.Contains(t, job.Failure.Message, "it said so")
						require.Zero(t, b.fleet.receipts(id))
						return
					default:
						b.ends(id, fiscal.JobMade)
						require.Equal(t, fiscal.Nothing, first.Effect)
					}
					require.Equal(t, 1, b.fleet.receipts(id))
				})
			})
		}
	}
	t.Run("an error of no known type", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			a := newBox("a")
			a.script = []turn{{lost: true, err: errors.New("EOF")}}
			b := started(t, a)
			id := b.submit()
			b.ends(id, fiscal.JobMade)
			require.Equal(t, 1, b.fleet.receipts(id))
			require.Contains(t, b.of("write"), fmt.Sprintf("write %s in_doubt", id))
		})
	})
}

// design.md §5.5, style.md §4.5: only Effect Nothing sends a job on, and then to another device if there is one.
func TestFaultOfADeviceGoesToTheNext(t *testing.T) {
	bubble(t, func(t *testing.T) {
		worn, fresh := newBox("worn"), newBox("fresh")
		for range 50 {
			worn.add(fiscal.Document{Kind: fiscal.KindShiftClose})
		}
		worn.script = []turn{{err: errPerson}, {err: errPerson}, {err: errPerson}}
		b := started(t, worn, fresh)
		id := b.submit()
		job := b.ends(id, fiscal.JobMade)
		require.Len(t, job.Attempts, 2)
		require.EqualValues(t, "worn", job.Attempts[0].Device, "the most used storage first")
		require.EqualValues(t, "fresh", job.Attempts[1].Device)
		require.Contains(t, job.Attempts[1].Reason, "1 passed over")
	})
}

// With every device tried once, all may try again: a job is not stuck because each of them had a bad moment.
func TestEveryDeviceGetsASecondChance(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, c := newBox("a"), newBox("c")
		a.script = []turn{{err: errPerson}}
		c.script = []turn{{err: errPerson}}
		b := started(t, a, c)
		job := b.ends(b.submit(), fiscal.JobMade)
		require.Len(t, job.Attempts, 3)
	})
}

// While another device that fits is only busy, the job waits for it instead of going back to the one that failed.
func TestJobWaitsForADeviceThatHasNotFailed(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, c := newBox("a"), newBox("c")
		c.takes = 10 * time.Second
		a.gates = []fiscal.GateCode{fiscal.GateBusy}
		b := started(t, a, c)
		b.is(b.submit(), fiscal.JobSending) // on c
		b.fleet.set(func() { a.gates, a.script = nil, []turn{{err: errPerson}} })
		job := b.ends(b.submit(), fiscal.JobMade)
		require.Len(t, job.Attempts, 2)
		require.EqualValues(t, "a", job.Attempts[0].Device)
		require.EqualValues(t, "c", job.Attempts[1].Device)
	})
}

// design.md §6: a device that refuses with "shift over 24 h" is renewed and the job goes on, there.
func TestExpiredShiftDoesNotCountAgainstADevice(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a, c := newBox("a"), newBox("c")
		a.add(fiscal.Document{Kind: fiscal.KindShiftClose}) // further used, so it is chosen
		a.script = []turn{{err: errExpired}}
		b := started(t, a, c)
		job := b.ends(b.submit(), fiscal.JobMade)
		require.Len(t, job.Attempts, 2)
		require.EqualValues(t, "a", job.Attempts[0].Device)
		require.EqualValues(t, "a", job.Attempts[1].Device)
	})
}

// A job goes only to a device that is ready, idle and fit.
func TestAssignment(t *testing.T) {
	bubble(t, func(t *testing.T) {
		busy, odd, other := newBox("busy"), newBox("odd"), newBox("other")
		busy.gates = []fiscal.GateCode{fiscal.GateTooHot}
		odd.who.TaxSystems = fiscal.TaxOSN
		other.circuit = 2
		b := started(t, busy, odd, other)
		id := b.submit()
		b.is(id, fiscal.JobQueued)
		require.Empty(t, b.of("task"))
		b.fleet.set(func() { busy.gates = nil })
		job := b.ends(id, fiscal.JobMade)
		require.EqualValues(t, "busy", job.Last().Device)
	})
}

// All devices work at once, each on one job at a time.
func TestRackWorksInParallel(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var boxes []*box
		for i := range 8 {
			boxes = append(boxes, newBox(fiscal.DeviceID(rune('a'+i))))
		}
		b := started(t, boxes...)
		var ids []fiscal.JobID
		for range 80 {
			ids = append(ids, b.submit())
		}
		at := time.Now()
		for _, id := range ids {
			b.ends(id, fiscal.JobMade)
		}
		require.Equal(t, 10*300*time.Millisecond, time.Since(at), "80 receipts, 8 devices, 300 ms each")
		for _, box := range boxes {
			require.Len(t, box.docs, 11)
		}
	})
}

// 10 000 receipts of one merchant do not keep another's single one waiting.
func TestBurstDoesNotStarve(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := limited(t, func(o *Options) { o.PerCircuit = 20_000 }, a)
		for range 10_000 {
			b.submit()
		}
		single := b.submit(func(s *Submission) { s.Integration = 2 })
		at := time.Now()
		b.ends(single, fiscal.JobMade)
		require.LessOrEqual(t, time.Since(at), 3*300*time.Millisecond)
		stop(t, b)
	})
}

// The record of a job that went round a lot keeps its first and its latest attempts, and no more than a few.
func TestAttemptsAreBounded(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		for range 60 {
			a.script = append(a.script, turn{err: errPerson})
		}
		b := started(t, a)
		id := b.submit()
		first := b.is(id, fiscal.JobSending).Attempts[0]
		job := b.ends(id, fiscal.JobMade)
		require.Len(t, job.Attempts, maxAttempts)
		require.True(t, first.StartedAt.Equal(job.Attempts[0].StartedAt))
		require.Contains(t, job.Last().Result, "made document")
		for i := 1; i < len(job.Attempts); i++ {
			require.False(t, job.Attempts[i].StartedAt.Before(job.Attempts[i-1].StartedAt))
		}
	})
}

// Wakes without end neither block nor lose anything.
func TestWakeStorm(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		a.gates = []fiscal.GateCode{fiscal.GateOffline}
		b := started(t, a)
		id := b.submit()
		held := make(chan struct{})
		go func() { _ = b.call(func() { <-held }) }() // the loop is behind
		synctest.Wait()
		for range 5000 {
			b.Wake("a", 1)
		}
		b.fleet.mu.Lock()
		a.gates = nil
		b.fleet.mu.Unlock()
		b.Wake("a", 1)
		for range 5000 {
			b.Wake("x", 7) // of a circuit without jobs
		}
		synctest.Wait()
		close(held)
		b.ends(id, fiscal.JobMade)
		require.Equal(t, 1, b.fleet.receipts(id))
		require.Equal(t, 1, strings.Count(strings.Join(b.of("task"), "\n"), "task"))
	})
}
