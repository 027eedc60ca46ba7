package callback

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"frpoold/fiscal"
)

// Store is the outbox. *store.Store is one; its calls are durable when they return.
type Store interface {
	// DueDeliveries are at most limit deliveries whose next try is not after now, the longest due first. Those given up
	// are not among them.
	DueDeliveries(now time.Time, limit int) ([]fiscal.Delivery, error)
	UpdateDelivery(d fiscal.Delivery) error
	RemoveDelivery(id uint64) error
}

// Sources are where a callback's content comes from. They are called from many goroutines at once.
type Sources struct {
	Job    func(id fiscal.JobID) (fiscal.Job, error)
	Secret func(id fiscal.IntegrationID) (string, error) // param2, the key of the signature
	Body   func(j fiscal.Job) ([]byte, error)            // native.Body
}

// Options of a Sender. Zero values take the defaults named.
type Options struct {
	AllowPrivate bool          // private networks may be called
	MaxAge       time.Duration // from the job's rest to giving up; 24 h
	Timeout      time.Duration // of one try, from the lookup of the name to the last byte; 10 s
	PerHost      int           // tries at once to one host and port; 2
	Total        int           // tries at once; 128

	Now     func() time.Time
	Rand    *rand.Rand // for jitter; the Sender guards it
	Log     *slog.Logger
	Metrics prometheus.Registerer // nil: not registered
}

const (
	pollEvery = 5 * time.Second // for tries that have become due; new deliveries come with Kick
	grace     = 5 * time.Second // for tries on the wire when Run is told to end
)

// Sender delivers what stands in the outbox.
//
// One goroutine, Run's, reads the outbox and owns the queues: each host has its own, of a bounded length, so a host that
// does not answer fills its queue and its PerHost tries and stops nobody else. A delivery that finds its host's queue
// full is put off in the outbox, so that those behind it can be seen. Each try runs in a goroutine of its own.
type Sender struct {
	store   Store
	sources Sources
	opt     Options
	post    func(ctx context.Context, d fiscal.Delivery) error // one try; a test may replace it
	client  *http.Client
	metrics *metrics
	kick    chan struct{} // capacity 1: a kick that is not yet heard stands for all

	running sync.Mutex // held by Run
	jitter  struct {
		sync.Mutex
		rand *rand.Rand
	}
}

// ErrRunning says that Run was called while it runs.
var ErrRunning = errors.New("the callback sender is running already")

// New makes a Sender. It fails when a source is missing or the metrics are registered already.
func New(store Store, sources Sources, o Options) (*Sender, error) {
	if store == nil || sources.Job == nil || sources.Secret == nil || sources.Body == nil || o.Now == nil || o.Rand == nil {
		return nil, errors.New("callback: the sender needs a store, its three sources, a clock and a source of jitter")
	}
	if o.MaxAge <= 0 {
		o.MaxAge = 24 * time.Hour
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	if o.PerHost <= 0 {
		o.PerHost = 2
	}
	if o.Total <= 0 {
		o.Total = 128
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	m, err := newMetrics(o.Metrics)
	if err != nil {
		return nil, fmt.Errorf("callback: %w", err)
	}
	s := &Sender{store: store, sources: sources, opt: o, metrics: m, kick: make(chan struct{}, 1), client: newClient(o)}
	s.post = s.try
	s.jitter.rand = o.Rand
	return s, nil
}

// Kick says that a delivery was put into the outbox. It never blocks and may be called before Run.
func (s *Sender) Kick() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// Run delivers until ctx ends. Then it starts nothing more, gives the tries on the wire a few seconds, breaks off the
// rest (they are made again after the next start) and returns nil. It may be called again after it returned; while it
// runs, a second call fails with ErrRunning.
func (s *Sender) Run(ctx context.Context) error {
	if !s.running.TryLock() {
		return ErrRunning
	}
	defer s.running.Unlock()
	work, breakOff := context.WithCancel(context.WithoutCancel(ctx))
	defer breakOff()
	r := &round{sender: s, work: work, hosts: map[string]*host{}, claimed: map[uint64]struct{}{}, done: make(chan finished)}
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	r.pass()
	var later <-chan time.Time // a kick that waits
	for {
		select {
		case <-ctx.Done():
			r.drain(breakOff)
			return nil
		case <-s.kick:
			if wait := r.pause(); wait <= 0 {
				r.pass()
			} else if later == nil {
				later = time.After(wait)
			}
		case <-later:
			later = nil
			r.pass()
		case <-poll.C:
			r.pass()
		case f := <-r.done:
			r.finish(f)
		}
	}
}
