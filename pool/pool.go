package pool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/fiscal"
)

// Options are the pool's surroundings, fixed for its life.
type Options struct {
	// Open makes a device of a type. It is the families' table of cmd/frpoold, probing where the type does not say.
	Open func(ctx context.Context, typ string, d link.Dialer, trace func(fiscal.Exchange)) (driver.Device, error)
	// Dial makes the dialer of an eip, or says why this kind of line is not driven.
	Dial   func(typ string, id fiscal.DeviceID) (link.Dialer, error)
	Policy Policy
	// Printing reports whether devices of a type print their reports, so that a printer fault matters.
	Printing func(typ string) bool
	// Temperature reads a sensor beside the register; nil or a nil answer leaves what the register itself says.
	Temperature func(typ string, id fiscal.DeviceID) *int

	PollInterval    time.Duration // of status while idle
	BackoffMin      time.Duration // between tries to connect
	BackoffMax      time.Duration
	DoubtRetry      time.Duration // BackoffMax while a job is in doubt
	Exchanges       int           // kept per device
	FailedExchanges int
	MaxShiftAge     time.Duration // older shifts are renewed before a receipt
	Cashier         fiscal.Cashier

	Changed func(fiscal.DeviceID, fiscal.CircuitID) // a snapshot changed in a way that matters for choosing; must not block
	Publish func(fiscal.Event)                      // must not block
	Now     func() time.Time
	Rand    *rand.Rand // guarded by the pool
	Log     *slog.Logger
}

// Pool is the set of workers.
type Pool struct {
	opts Options

	mu        sync.RWMutex
	workers   map[fiscal.DeviceID]*worker
	byCircuit map[fiscal.CircuitID][]*worker // replaced whole, so a reader may keep the slice
	holds     map[fiscal.DeviceID]fiscal.JobID

	randMu sync.Mutex

	metrics *metrics
}

// New makes an empty pool and registers its metrics with reg.
func New(o Options, reg prometheus.Registerer) *Pool {
	p := &Pool{
		opts:      o,
		workers:   map[fiscal.DeviceID]*worker{},
		byCircuit: map[fiscal.CircuitID][]*worker{},
		holds:     map[fiscal.DeviceID]fiscal.JobID{},
		metrics:   newMetrics(),
	}
	reg.MustRegister(p.metrics.exchanges, collector{p})
	return p
}

// ErrNotEnrolled says that the device has no worker.
var ErrNotEnrolled = errors.New("device is not active")

// Enrolment is what a worker must know of its device.
type Enrolment struct {
	ID      fiscal.DeviceID
	Type    string
	Circuit fiscal.CircuitID
	INN     fiscal.INN       // of the circuit
	Zone    *time.Location   // of the register's clock
	Expect  *fiscal.Identity // as activated: another serial or FN closes a gate; nil accepts any
	Active  bool             // false enrols draining, only to settle what the device holds
}

// Enrol starts a device's worker. Of a device that has one already it is a repeat and does nothing, unless that one is
// still draining and the new one is to be active.
func (p *Pool) Enrol(m Enrolment) error {
	dialer, err := p.opts.Dial(m.Type, m.ID)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if old, ok := p.workers[m.ID]; ok {
		if !old.draining.Load() || !m.Active {
			return nil
		}
		return fmt.Errorf("device %s is still draining", m.ID)
	}
	w := newWorker(p, m, dialer)
	p.workers[m.ID] = w
	p.byCircuit[m.Circuit] = append(slices.Clone(p.byCircuit[m.Circuit]), w)
	go func() {
		w.run()
		p.forget(w)
	}()
	return nil
}

func (p *Pool) forget(w *worker) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.workers, w.id)
	rest := slices.DeleteFunc(slices.Clone(p.byCircuit[w.circuit]), func(o *worker) bool { return o == w })
	p.byCircuit[w.circuit] = rest
	if len(rest) == 0 {
		delete(p.byCircuit, w.circuit)
	}
	close(w.gone)
}

// Withdraw stops a device's worker: no new receipt at once, and the answer when what it holds is finished and settled.
// With ctx done first the worker goes on draining by itself.
func (p *Pool) Withdraw(ctx context.Context, id fiscal.DeviceID) error {
	w, ok := p.worker(id)
	if !ok {
		return nil
	}
	w.drain()
	select {
	case <-w.gone:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// Close stops every worker when its task in work is finished, whatever it holds; ctx bounds the wait.
func (p *Pool) Close(ctx context.Context) error {
	p.mu.RLock()
	all := make([]*worker, 0, len(p.workers))
	for _, w := range p.workers {
		all = append(all, w)
	}
	p.mu.RUnlock()
	for _, w := range all {
		w.halt()
	}
	for _, w := range all {
		select {
		case <-w.gone:
		case <-ctx.Done():
			return fmt.Errorf("device %s is still at work: %w", w.id, context.Cause(ctx))
		}
	}
	return nil
}

// Views are the snapshots of a circuit's devices. Each is immutable.
func (p *Pool) Views(c fiscal.CircuitID) []*fiscal.DeviceView {
	p.mu.RLock()
	list := p.byCircuit[c]
	p.mu.RUnlock()
	out := make([]*fiscal.DeviceView, len(list))
	for i, w := range list {
		out[i] = w.view.Load()
	}
	return out
}

// All are the snapshots of every device, by eip.
func (p *Pool) All() []*fiscal.DeviceView {
	p.mu.RLock()
	out := make([]*fiscal.DeviceView, 0, len(p.workers))
	for _, w := range p.workers {
		out = append(out, w.view.Load())
	}
	p.mu.RUnlock()
	slices.SortFunc(out, func(a, b *fiscal.DeviceView) int {
		switch {
		case a.ID < b.ID:
			return -1
		case a.ID > b.ID:
			return 1
		}
		return 0
	})
	return out
}

// View is the snapshot of one device.
func (p *Pool) View(id fiscal.DeviceID) (*fiscal.DeviceView, bool) {
	w, ok := p.worker(id)
	if !ok {
		return nil, false
	}
	return w.view.Load(), true
}

// Exchanges are the last exchanges with a device and the last failed ones, oldest first.
func (p *Pool) Exchanges(id fiscal.DeviceID) (recent, failed []fiscal.Exchange, ok bool) {
	w, ok := p.worker(id)
	if !ok {
		return nil, nil, false
	}
	recent, failed = w.ring.list()
	return recent, failed, true
}

// Hold keeps a device from registering until Release: it has a job nobody is sure of. A worker holds its own jobs; Hold
// is for those found in the store at start, and may come before Enrol.
func (p *Pool) Hold(id fiscal.DeviceID, job fiscal.JobID) {
	p.mu.Lock()
	p.holds[id] = job
	w := p.workers[id]
	p.mu.Unlock()
	if w != nil {
		w.nudge()
	}
}

// Release ends Hold.
func (p *Pool) Release(id fiscal.DeviceID) {
	p.mu.Lock()
	delete(p.holds, id)
	w := p.workers[id]
	p.mu.Unlock()
	if w != nil {
		w.nudge()
	}
}

// Holds names the unsettled job a device holds.
func (p *Pool) Holds(id fiscal.DeviceID) (fiscal.JobID, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	job, ok := p.holds[id]
	return job, ok
}

// Inspect connects to a device that has no worker and reads its identity and status; nothing is kept.
func (p *Pool) Inspect(ctx context.Context, typ string, eip fiscal.DeviceID) (id fiscal.Identity, s fiscal.Status, err error) {
	dialer, err := p.opts.Dial(typ, eip)
	if err != nil {
		return id, s, err
	}
	defer func() {
		if r := recover(); r != nil { // nobody else's devices pay for it
			p.opts.Log.Error("panic in the driver", "device", string(eip), "panic", r, "stack", string(debug.Stack()))
			err = &fiscal.Error{Op: "pool.Inspect", Device: eip, Kind: fiscal.Internal, Effect: fiscal.Nothing, Err: fmt.Errorf("panic in the driver: %v", r)}
		}
	}()
	dev, err := p.opts.Open(ctx, typ, dialer, func(fiscal.Exchange) {})
	if err != nil {
		return id, s, err
	}
	defer func() { err = errors.Join(err, dev.Close()) }()
	if id, err = dev.Identify(ctx); err == nil {
		s, err = dev.Status(ctx)
	}
	return id, s, err
}

func (p *Pool) worker(id fiscal.DeviceID) (*worker, bool) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	w, ok := p.workers[id]
	return w, ok
}

// jitter is a random share of d between half and all of it.
func (p *Pool) jitter(d time.Duration) time.Duration {
	p.randMu.Lock()
	defer p.randMu.Unlock()
	return d/2 + time.Duration(p.opts.Rand.Int64N(int64(d/2)+1))
}
