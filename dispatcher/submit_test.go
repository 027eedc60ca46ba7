package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

func TestSubmit(t *testing.T) {
	bubble(t, func(t *testing.T) {
		b := started(t)
		s := order("order-1001")
		s.CallbackURL = "https://shop.example/fiscal"
		job, created, err := b.Submit(t.Context(), s)
		require.NoError(t, err)
		require.True(t, created)
		fits(t, job.ID)
		now := time.Now()
		require.Equal(t, fiscal.Job{
			ID: job.ID, Circuit: 1, Integration: 1, ExternalID: "order-1001", Digest: "150.00", State: fiscal.JobQueued,
			Operation: fiscal.Sell, Total: 15000, Needs: s.Receipt.Needs(), CallbackURL: s.CallbackURL,
			CreatedAt: now, UpdatedAt: now, Deadline: now.Add(24 * time.Hour),
		}, job)
		stored, err := b.journal.Job(job.ID)
		require.NoError(t, err)
		require.Equal(t, fiscal.JobQueued, stored.State, "it is on disk before it is answered")
		require.Equal(t, 1, b.Queued(1))

		named := order("order-1002")
		named.Deadline = now.Add(time.Minute)
		job, _, err = b.Submit(t.Context(), named)
		require.NoError(t, err)
		require.Equal(t, named.Deadline, job.Deadline)
	})
}

// design.md §4: the same external id with the same content answers with the same job, with other content it is a conflict.
func TestSubmitAgain(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := started(t, a)
		first, _, err := b.Submit(t.Context(), order("x"))
		require.NoError(t, err)
		again, created, err := b.Submit(t.Context(), order("x"))
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, first.ID, again.ID)
		b.ends(first.ID, fiscal.JobMade)
		again, created, err = b.Submit(t.Context(), order("x"))
		require.NoError(t, err)
		require.False(t, created)
		require.Equal(t, fiscal.JobMade, again.State, "with the job as it now is")
		require.NotNil(t, again.Fiscal)

		other := order("x")
		other.Digest = "151.00"
		_, _, err = b.Submit(t.Context(), other)
		u := problem(t, err)
		require.Equal(t, "external_id_conflict", u.Code)
		require.Equal(t, fiscal.ClassConflict, u.Class)
		require.Equal(t, first.ID, u.Details["id"])

		foreign := order("x")
		foreign.Integration = 2
		_, created, err = b.Submit(t.Context(), foreign)
		require.NoError(t, err)
		require.True(t, created, "another integration's ids are its own")
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, a.docs, 3, "one document for each job")
		require.Zero(t, b.Queued(1))
	})
}

// Many at once with one external id: one job.
func TestSubmitRace(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := started(t, a)
		b.journal.slow(5 * time.Millisecond)
		var mu sync.Mutex
		ids, creations := map[fiscal.JobID]bool{}, 0
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				job, created, err := b.Submit(context.Background(), order("x"))
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					ids[job.ID] = true
				}
				if created {
					creations++
				}
			})
		}
		all.Wait()
		require.Len(t, ids, 1)
		require.Equal(t, 1, creations)
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, a.docs, 2)
	})
}

// design.md §6, Back-pressure: bounded per circuit and in all; places taken by receipts on their way to the disk count.
func TestSubmitWhenFull(t *testing.T) {
	limit := func(o *Options) { o.PerCircuit, o.Total = 5, 8 }
	elsewhere := func(s *Submission) { s.Circuit = 2 }
	t.Run("a circuit", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := limited(t, limit)
			for range 5 {
				b.submit()
			}
			_, _, err := b.Submit(t.Context(), order("one too many"))
			u := problem(t, err)
			require.Equal(t, "queue_full", u.Code)
			require.Equal(t, fiscal.ClassTooMany, u.Class)
			require.Positive(t, u.RetryAfter)
			_, err = b.journal.Job("")
			require.Error(t, err)
			require.Len(t, b.journal.all(), 5, "a receipt that was turned away left nothing")
			b.submit(elsewhere)
		})
	})
	t.Run("in all", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := limited(t, limit)
			for range 5 {
				b.submit()
			}
			for range 3 {
				b.submit(elsewhere)
			}
			s := order("one too many")
			s.Circuit = 2
			_, _, err := b.Submit(t.Context(), s)
			require.Equal(t, "queue_full", problem(t, err).Code)
		})
	})
	t.Run("with reservations", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := limited(t, limit)
			b.journal.slow(time.Second)
			codes := make(chan string, 20)
			for i := range 20 {
				go func() {
					_, _, err := b.Submit(context.Background(), order(fmt.Sprint("burst ", i)))
					var u *fiscal.UserError
					if errors.As(err, &u) {
						codes <- u.Code
						return
					}
					codes <- "ok"
				}()
			}
			synctest.Wait()
			require.Len(t, codes, 15, "those that found no place are told at once")
			got := map[string]int{}
			for range 20 {
				got[<-codes]++
			}
			require.Equal(t, map[string]int{"ok": 5, "queue_full": 15}, got)
			require.Equal(t, 5, b.Queued(1))
		})
	})
	t.Run("places come back", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := limited(t, limit)
			for i := range 30 { // each way a place can be given back
				switch i % 3 {
				case 0:
					id := b.submit()
					_, err := b.Cancel(t.Context(), id)
					require.NoError(t, err)
				case 1:
					b.journal.fullFor("accept")
					_, _, err := b.Submit(t.Context(), order("never stored"))
					require.Equal(t, "store_failed", problem(t, err).Code)
					b.journal.failing(nil)
				case 2:
					id := b.submit()
					_, created, err := b.Submit(t.Context(), order(b.job(id).ExternalID))
					require.NoError(t, err)
					require.False(t, created)
					_, err = b.Cancel(t.Context(), id)
					require.NoError(t, err)
				}
			}
			for range 5 {
				b.submit(func(s *Submission) { s.Deadline = time.Now().Add(time.Minute) })
			}
			time.Sleep(2 * time.Minute) // all expire
			a := newBox("a")
			b.fleet.set(func() { b.fleet.boxes = append(b.fleet.boxes, a) })
			for range 12 {
				b.ends(b.submit(), fiscal.JobMade)
			}
		})
	})
}

// design.md §4 and style.md §4.7: a repeat is answered from the store, whatever else stands in its way. A shop whose repeat
// is refused reads "failed", and sells again under a new id.
func TestSubmitAgainWhenNothingNewIsTaken(t *testing.T) {
	t.Parallel()
	for name, block := range map[string]func(b *bench){
		"full": func(b *bench) {
			for range 4 {
				b.submit()
			}
		},
		"no such tax system any more": func(b *bench) {
			b.roster.unknown, b.roster.known = 0, []fiscal.Identity{{TaxSystems: fiscal.TaxOSN, VATs: fiscal.VATsUpTo(fiscal.VAT122)}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := limited(t, func(o *Options) { o.PerCircuit = 5 })
				first, _, err := b.Submit(t.Context(), order("x"))
				require.NoError(t, err)
				block(b)
				_, _, err = b.Submit(t.Context(), order("new"))
				require.Error(t, err)
				again, created, err := b.Submit(t.Context(), order("x"))
				require.NoError(t, err)
				require.False(t, created)
				require.Equal(t, first.ID, again.ID)

				other := order("x")
				other.Digest = "another"
				_, _, err = b.Submit(t.Context(), other)
				require.Equal(t, "external_id_conflict", problem(t, err).Code)
			})
		})
	}
}

// design.md §7: a full disk refuses new jobs with 503 and leaves nothing of them.
func TestSubmitWhenTheDiskIsFull(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := started(t, a)
		b.journal.full(true)
		_, _, err := b.Submit(t.Context(), order("x"))
		u := problem(t, err)
		require.Equal(t, "store_failed", u.Code)
		require.Equal(t, fiscal.ClassUnavailable, u.Class)
		require.Positive(t, u.RetryAfter)
		time.Sleep(time.Hour)
		synctest.Wait()
		require.Empty(t, b.journal.all())
		require.Len(t, a.docs, 1)
		b.journal.full(false)
		job, created, err := b.Submit(t.Context(), order("x"))
		require.NoError(t, err)
		require.True(t, created, "the first try left nothing")
		b.ends(job.ID, fiscal.JobMade)
	})
}

// A client that goes away in the middle leaves no question open: the job is stored, and a repeat finds it.
func TestSubmitOfAClientThatLeft(t *testing.T) {
	bubble(t, func(t *testing.T) {
		a := newBox("a")
		b := started(t, a)
		b.journal.slow(time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		var job fiscal.Job
		done := make(chan error, 1)
		go func() {
			var err error
			job, _, err = b.Submit(ctx, order("x"))
			done <- err
		}()
		synctest.Wait()
		cancel()
		require.NoError(t, <-done)
		b.ends(job.ID, fiscal.JobMade)
	})
}

// design.md §12: a tax system that no device of the circuit is registered for is refused; one that only inactive devices
// have is queued.
func TestSubmitThatNobodyCanMake(t *testing.T) {
	t.Parallel()
	simplified := device("", 0, 0).Identity
	osn := device("", 0, 0, taxes(fiscal.TaxOSN)).Identity
	old := device("", 0, 0, func(i *fiscal.Identity) { i.VATs = fiscal.VATsUpTo(fiscal.VAT110) }).Identity
	vat22 := func(s *Submission) { s.Receipt.Items[0].VAT = fiscal.VAT22 }
	agent := func(s *Submission) { s.Receipt.Agent = &fiscal.AgentInfo{Type: fiscal.Attorney} }
	for _, tc := range []struct {
		name    string
		active  []fiscal.Identity
		known   []fiscal.Identity // registered, active or not
		unknown int
		change  func(*Submission)
		code    string // empty: queued
		path    string
	}{
		{name: "an active one can", active: []fiscal.Identity{*simplified}, known: []fiscal.Identity{*simplified}},
		{name: "only an inactive one can", active: []fiscal.Identity{*osn}, known: []fiscal.Identity{*osn, *simplified}},
		{name: "none can", active: []fiscal.Identity{*osn}, known: []fiscal.Identity{*osn}, code: "no_such_tax_system", path: "tax_system"},
		{name: "none can, none is active", known: []fiscal.Identity{*osn}, code: "no_such_tax_system", path: "tax_system"},
		{name: "one was never activated", known: []fiscal.Identity{*osn}, unknown: 1},
		{name: "no device at all"},
		{name: "no such rate", known: []fiscal.Identity{*simplified}, change: vat22, code: "no_such_vat_rate", path: "items"},
		{name: "no such agent", known: []fiscal.Identity{*simplified}, change: agent, code: "no_such_agent", path: "agent_info"},
		// The tax system is there, and only the rate is not: the message must not deny the tax system.
		{name: "one lacks the rate, the other the tax system", known: []fiscal.Identity{*old, *osn}, code: "no_such_vat_rate", path: "items"},
		{name: "one lacks the tax system, the other the rate", known: []fiscal.Identity{*osn, *old}, code: "no_such_vat_rate", path: "items"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				b := started(t)
				b.roster.known, b.roster.unknown = tc.known, tc.unknown
				for i, who := range tc.active {
					box := newBox(fiscal.DeviceID(rune('a' + i)))
					box.who, box.gates = who, []fiscal.GateCode{fiscal.GateBusy}
					b.fleet.boxes = append(b.fleet.boxes, box)
				}
				s := order("x")
				if tc.change != nil {
					tc.change(&s)
				}
				job, _, err := b.Submit(t.Context(), s)
				if tc.code == "" {
					require.NoError(t, err)
					b.is(job.ID, fiscal.JobQueued)
					return
				}
				u := problem(t, err)
				require.Equal(t, tc.code, u.Code)
				require.Equal(t, fiscal.ClassContent, u.Class)
				list, ok := u.Details["errors"].([]fiscal.ContentError)
				require.True(t, ok)
				require.Len(t, list, 1)
				require.Equal(t, tc.path, list[0].Path)
				require.Empty(t, b.journal.all())
			})
		})
	}
	t.Run("the roster cannot be read", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			b := started(t)
			b.roster.err = errDiskFull
			_, _, err := b.Submit(t.Context(), order("x"))
			require.ErrorIs(t, err, errDiskFull)
			require.Empty(t, b.journal.all())
		})
	})
}

// Retry-After is an honest guess: the more devices, the sooner.
func TestRetryAfter(t *testing.T) {
	bubble(t, func(t *testing.T) {
		boxes := []*box{newBox("a"), newBox("b")}
		b := started(t, boxes...)
		require.Equal(t, 60, b.drainTime(1, 10_000), "nobody knows")
		for _, box := range boxes {
			box.service = 500 * time.Millisecond
		}
		require.Equal(t, 250, b.drainTime(1, 10_000))
		require.Equal(t, 1, b.drainTime(1, 5))
		require.Equal(t, 600, b.drainTime(1, 1_000_000))
	})
}
