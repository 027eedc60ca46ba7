package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/store"
	"frpoold/store/storetest"
)

// disk is the real store as the dispatcher needs it, as the daemon wires it.
type disk struct{ *store.Store }

func (d disk) Job(id fiscal.JobID) (fiscal.Job, error) {
	job, err := d.Store.Job(id)
	if errors.Is(err, store.ErrNotFound) {
		err = errNoJob
	}
	return job, err
}

func (d disk) Known(i fiscal.IntegrationID, externalID string) (job fiscal.Job, found bool, err error) {
	page, _, err := d.Jobs(store.JobFilter{Integration: i, ExternalID: externalID})
	if err != nil || len(page) == 0 {
		return job, false, err
	}
	return page[0], true, nil
}

// life is one daemon over a real store.
func life(t *testing.T, s *store.Store, f *fleet) *Dispatcher {
	t.Helper()
	d := New(f, disk{s}, &book{unknown: 1}, Options{
		PerCircuit: 10_000, Total: 100_000, Deadline: 24 * time.Hour, DoubtRetry: 2 * time.Second,
		Audit: s.AppendAudit, Publish: func(fiscal.Event) {}, Now: time.Now, Rand: rand.New(rand.NewPCG(3, 4)), Log: slog.New(slog.DiscardHandler),
	}, prometheus.NewRegistry())
	f.changed = d.Wake
	require.NoError(t, d.Start(t.Context()))
	for _, b := range f.boxes {
		d.Wake(b.id, b.circuit)
	}
	return d
}

// The fake journal of the other tests and the real store keep the same promises.
func TestOverTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := storetest.Open(t)
		defer func() { require.NoError(t, s.Close()) }()
		f := newFleet(&diary{}, rehearsal()...)
		d := life(t, s, f)
		accepted := map[fiscal.JobID]bool{}
		for i := range 12 {
			sub := order(fmt.Sprint("order ", i))
			sub.CallbackURL = "https://shop.example/fiscal"
			job, created, err := d.Submit(t.Context(), sub)
			require.NoError(t, err)
			require.True(t, created)
			accepted[job.ID] = true
			again, created, err := d.Submit(t.Context(), sub)
			require.NoError(t, err)
			require.False(t, created)
			require.Equal(t, job.ID, again.ID)
			known, found, err := disk{s}.Known(1, sub.ExternalID)
			require.NoError(t, err)
			require.True(t, found)
			require.Equal(t, job.ID, known.ID)
			sub.Digest = "other"
			_, _, err = d.Submit(t.Context(), sub)
			require.Equal(t, "external_id_conflict", problem(t, err).Code)
		}
		made := 0
		for id := range accepted {
			job, err := d.Wait(t.Context(), id, time.Hour)
			require.NoError(t, err)
			require.True(t, job.State.Final(), "%s", job.State)
			stored, err := s.Job(id)
			require.NoError(t, err)
			require.Equal(t, job.State, stored.State)
			calls, err := s.Deliveries(id)
			require.NoError(t, err)
			require.Len(t, calls, 1, "its callback went into the outbox with its end")
			want := 0
			if job.State == fiscal.JobMade {
				want = 1
				made++
			}
			require.Equal(t, want, f.receipts(id))
		}
		require.Equal(t, 11, made)
		require.Empty(t, f.wrong)
		_, err := d.Job("no such job")
		require.Equal(t, "receipt_not_found", problem(t, err).Code)
		require.NoError(t, d.Stop(t.Context()))
	})
}

// The daemon dies again and again in the middle of its work; the file and the devices are all that stays.
func TestKilledOverTheStore(t *testing.T) {
	bubble(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "frpoold.db")
		var boxes []*box
		for i := range 4 {
			b := newBox(fiscal.DeviceID(rune('a' + i)))
			for n := range 100 {
				switch {
				case n%4 == i:
					b.script = append(b.script, turn{lost: n%8 < 4, err: errSilent})
				case n%11 == i:
					b.script = append(b.script, turn{err: errPerson})
				default:
					b.script = append(b.script, turn{})
				}
			}
			boxes = append(boxes, b)
		}
		var mu sync.Mutex
		accepted := map[fiscal.JobID]bool{}
		f := newFleet(&diary{}, boxes...)
		random := rand.New(rand.NewPCG(5, 6))
		for round := range 12 {
			s := storetest.OpenAt(t, path)
			f = f.again(&diary{})
			d := life(t, s, f)
			var clients sync.WaitGroup
			for i := range 10 {
				clients.Go(func() {
					time.Sleep(time.Duration(i*40) * time.Millisecond)
					job, _, err := d.Submit(context.Background(), order(fmt.Sprintf("order %d/%d", round, i)))
					if err == nil {
						mu.Lock()
						accepted[job.ID] = true
						mu.Unlock()
					}
				})
			}
			time.Sleep(time.Duration(random.IntN(1500)) * time.Millisecond)
			require.NoError(t, s.Close()) // from here on nothing is written, as if by SIGKILL
			clients.Wait()
			time.Sleep(2 * time.Second)
			gone, cancel := context.WithCancel(context.Background())
			cancel()
			_ = d.Stop(gone)
			synctest.Wait()
			require.Empty(t, f.wrong)
		}
		s := storetest.OpenAt(t, path)
		defer func() { require.NoError(t, s.Close()) }()
		f = f.again(&diary{})
		d := life(t, s, f)
		require.Greater(t, len(accepted), 40)
		for id := range accepted {
			job, err := d.Wait(t.Context(), id, time.Hour)
			require.NoError(t, err)
			require.Equal(t, fiscal.JobMade, job.State)
			require.Equal(t, 1, f.receipts(id))
		}
		require.NoError(t, d.Stop(t.Context()))
		left, err := s.Unfinished()
		require.NoError(t, err)
		require.Empty(t, left)
	})
}

// A write that failed and is on disk all the same is found by the journal's refusal of the next try: without the stored
// state in that refusal the dispatcher would try for ever.
func TestStoreTellsTheStoredState(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	job := fiscal.Job{ID: "01JOB", Integration: 1, ExternalID: "x", State: fiscal.JobQueued}
	_, _, err := s.Accept(t.Context(), job, sale(100))
	require.NoError(t, err)
	job.State = fiscal.JobSending
	require.NoError(t, <-s.Advance(fiscal.JobQueued, job))
	err = <-s.Advance(fiscal.JobQueued, job)
	require.Error(t, err)
	require.True(t, storedAs(err, fiscal.JobSending), "%T must have the method Stored() fiscal.JobState", err)
	require.False(t, storedAs(err, fiscal.JobQueued))
	require.NoError(t, s.Close())
}
