package callback

import (
	"cmp"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// outbox is a Store in memory that counts what is asked of it.
type outbox struct {
	mu      sync.Mutex
	list    map[uint64]fiscal.Delivery
	broken  bool // writes fail
	looks   int
	writes  int
	removed []uint64
}

var errDisk = errors.New("no space left on device")

func newOutbox(list ...fiscal.Delivery) *outbox {
	o := &outbox{list: map[uint64]fiscal.Delivery{}}
	for _, d := range list {
		o.list[d.ID] = d
	}
	return o
}

func (o *outbox) add(d fiscal.Delivery) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.list[d.ID] = d
}

func (o *outbox) setBroken(b bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken = b
}

func (o *outbox) get(id uint64) (fiscal.Delivery, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	d, ok := o.list[id]
	return d, ok
}

// delivered are the ids removed, in order.
func (o *outbox) delivered() []uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.removed)
}

// count is what is left of those keep chooses, and what the store was asked so far.
func (o *outbox) count(keep func(fiscal.Delivery) bool) (left, looks, writes int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, d := range o.list {
		if keep(d) {
			left++
		}
	}
	return left, o.looks, o.writes
}

func (o *outbox) DueDeliveries(now time.Time, limit int) ([]fiscal.Delivery, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.looks++
	var due []fiscal.Delivery
	for _, d := range o.list {
		if !d.NextTry.IsZero() && !d.NextTry.After(now) {
			due = append(due, d)
		}
	}
	slices.SortFunc(due, func(a, b fiscal.Delivery) int {
		return cmp.Or(a.NextTry.Compare(b.NextTry), cmp.Compare(a.ID, b.ID))
	})
	return due[:min(limit, len(due))], nil
}

func (o *outbox) UpdateDelivery(d fiscal.Delivery) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
	if o.broken {
		return errDisk
	}
	if _, ok := o.list[d.ID]; !ok {
		return fmt.Errorf("no delivery %d", d.ID)
	}
	o.list[d.ID] = d
	return nil
}

func (o *outbox) RemoveDelivery(id uint64) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes++
	if o.broken {
		return errDisk
	}
	delete(o.list, id)
	o.removed = append(o.removed, id)
	return nil
}

func newSender(t *testing.T, store Store, o Options) *Sender {
	t.Helper()
	o.Now, o.Rand = time.Now, rand.New(rand.NewPCG(1, 2))
	o.Metrics = prometheus.NewRegistry()
	s, err := New(store, Sources{
		Job: func(id fiscal.JobID) (fiscal.Job, error) {
			if id == "gone" {
				return fiscal.Job{}, errors.New("no such job")
			}
			return fiscal.Job{ID: id}, nil
		},
		Secret: func(id fiscal.IntegrationID) (string, error) {
			if id == 404 {
				return "", errors.New("no such integration")
			}
			return "f3642fb38e", nil
		},
		Body: func(j fiscal.Job) ([]byte, error) {
			if j.ID == "mute" {
				return nil, errors.New("no words")
			}
			return []byte(`{"id":"` + string(j.ID) + `"}`), nil
		},
	}, o)
	require.NoError(t, err)
	return s
}

func delivery(id uint64, address string, now time.Time) fiscal.Delivery {
	return fiscal.Delivery{ID: id, Job: fiscal.JobID(fmt.Sprintf("job-%d", id)), Integration: 7, URL: address, CreatedAt: now, NextTry: now}
}
