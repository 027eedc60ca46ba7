package pool

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/fiscal"
)

// worker is one device's goroutine and what others may touch of it.
type worker struct {
	pool    *Pool
	id      fiscal.DeviceID
	typ     string
	circuit fiscal.CircuitID
	inn     fiscal.INN
	zone    *time.Location
	expect  *fiscal.Identity
	dialer  link.Dialer
	log     *slog.Logger

	tasks    chan task     // callers send, run receives
	wake     chan struct{} // capacity 1: look again at what is held or asked of you
	stopping chan struct{} // closed by halt
	haltOnce sync.Once
	gone     chan struct{} // closed by the pool when run has returned
	draining atomic.Bool   // set by drain, read by run
	view     atomic.Pointer[fiscal.DeviceView]
	ring     *ring

	// All below belongs to run.
	session
	turn     []fiscal.Exchange // of the task in work
	hot      bool
	closing  bool
	working  bool
	paused   *pause
	pauses   int // in a row
	renew    bool
	renewed  time.Time    // when the shift was last renewed without a receipt since; zero after a receipt
	failed   fiscal.JobID // the last receipt that failed here after it had begun; empty after one that did not
	stale    bool         // the identity is read anew before the next receipt
	service  time.Duration
	receipts uint64
	gates    []fiscal.Gate
	stamps   map[fiscal.StampTag]stampTrial // of the FN of this session
}

// session is what is known while there is a link; lost says why there is none.
type session struct {
	dev      driver.Device
	identity *fiscal.Identity
	status   *fiscal.Status
	seenAt   time.Time
	lost     error
	failures int // tries to connect in a row
}

// mailbox is how many tasks may wait for one device: the dispatcher sends one at a time, the rest are manual operations.
const mailbox = 8

func newWorker(p *Pool, e Enrolment, d link.Dialer) *worker {
	w := &worker{
		pool: p, id: e.ID, typ: e.Type, circuit: e.Circuit, inn: e.INN, zone: e.Zone, expect: e.Expect, dialer: d,
		log:      p.opts.Log.With("device", string(e.ID), "circuit", uint64(e.Circuit)),
		tasks:    make(chan task, mailbox),
		wake:     make(chan struct{}, 1),
		stopping: make(chan struct{}),
		gone:     make(chan struct{}),
		stamps:   map[fiscal.StampTag]stampTrial{},
		ring:     newRing(p.opts.Exchanges, p.opts.FailedExchanges),
	}
	w.draining.Store(!e.Active)
	w.view.Store(&fiscal.DeviceView{ID: e.ID, Circuit: e.Circuit, Type: e.Type,
		Gates: []fiscal.Gate{{Code: fiscal.GateOffline, Message: "not contacted yet", Since: p.opts.Now()}}})
	return w
}

// drain makes the worker end once it holds nothing.
func (w *worker) drain() {
	w.draining.Store(true)
	w.nudge()
}

// halt makes the worker end after its task in work.
func (w *worker) halt() { w.haltOnce.Do(func() { close(w.stopping) }) }

func (w *worker) nudge() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// run is the worker's life: a waiting task, else the next try to connect or poll, until it is told to end.
func (w *worker) run() {
	defer w.end()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select { // a task goes before a poll
		case t := <-w.tasks:
			w.perform(t)
			timer.Reset(w.nextPoll())
			continue
		default:
		}
		if w.finished() {
			return
		}
		select {
		case <-w.stopping:
			return
		case t := <-w.tasks:
			w.perform(t)
			timer.Reset(w.nextPoll())
		case <-w.wake:
			w.publish()
			if _, held := w.pool.Holds(w.id); held && w.dev == nil {
				timer.Reset(w.nextPoll()) // a job in doubt does not wait out a long pause
			}
		case <-timer.C:
			w.pollOrConnect()
			timer.Reset(w.nextPoll())
		}
	}
}

// finished reports that a draining worker has nothing left to do.
func (w *worker) finished() bool {
	if !w.draining.Load() {
		return false
	}
	_, held := w.pool.Holds(w.id)
	return !held
}

func (w *worker) end() {
	w.halt()
	for {
		select {
		case t := <-w.tasks:
			t.do() // each sees that the worker is ending and answers so
			close(t.done)
		default:
			w.closeSession(nil)
			return
		}
	}
}

// task is work for a device; do runs in its worker's goroutine.
type task struct {
	do   func()
	done chan struct{}
}

// perform executes a task. The caller learns of its end after the snapshot shows it, so that nobody chooses by an old one.
func (w *worker) perform(t task) {
	w.turn = w.turn[:0]
	w.working = true
	w.publish()
	t.do()
	w.working = false
	w.publish()
	close(t.done)
	w.tryStamp()
	w.refreshIfStale()
}

// ending reports that nothing may be begun any more.
func (w *worker) ending() bool {
	select {
	case <-w.stopping:
		return true
	default:
		return false
	}
}

// submit hands the worker a task and waits for its end. ctx bounds only the wait for a place in the mailbox.
func (w *worker) submit(ctx context.Context, do func()) error {
	t := task{do: do, done: make(chan struct{})}
	select {
	case w.tasks <- t:
	case <-w.gone:
		return ErrNotEnrolled
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	select {
	case <-t.done:
		return nil
	case <-w.gone:
	}
	select {
	case <-t.done:
		return nil
	default:
		return ErrNotEnrolled // it was left in the mailbox of a worker that had ended
	}
}

// guard runs f and turns a panic into an error with the given effect.
func (w *worker) guard(effect func() fiscal.Effect, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			w.log.Error("panic in the driver", "panic", r, "stack", string(debug.Stack()))
			err = &fiscal.Error{Op: "pool", Device: w.id, Kind: fiscal.Internal, Effect: effect(), Err: fmt.Errorf("panic in the driver: %v", r)}
			w.closeSession(err)
		}
	}()
	return f()
}

// trace is called by the driver after each exchange, in this goroutine.
func (w *worker) trace(e fiscal.Exchange) {
	w.ring.add(e)
	w.turn = append(w.turn, e)
	result := "ok"
	if e.Error != "" {
		result = "failed"
	}
	w.pool.metrics.exchanges.WithLabelValues(w.typ, result).Inc()
}

// atDevice completes an error with the device's name.
func (w *worker) atDevice(err error) error {
	var e *fiscal.Error
	if errors.As(err, &e) && e.Device == "" {
		named := *e
		named.Device = w.id
		return &named
	}
	return err
}
