package store

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
)

// maxBatch bounds the operations of one transaction, so that the first of them does not wait long for the last.
const maxBatch = 512

// op is one operation on its way to the disk.
type op struct {
	// apply checks first and writes then. It runs in the writer's goroutine, maybe more than once, and touches nothing
	// outside its transaction but variables that its caller reads after done.
	apply func(t *txn) error
	// done gets the answer, once. It has room for it.
	done chan error
	// refusable operations are turned away first when a batch does not fit on the disk.
	refusable bool
	// patient operations may wait a moment for company: nobody's receipt waits for them.
	patient bool
	// claimed is set by whoever decides the operation's fate: the writer that takes it, or the caller that gives up.
	claimed atomic.Bool

	err   error // of the latest apply; the writer's
	wrote bool  // whether the latest apply wrote anything; the writer's
}

func newOp(apply func(t *txn) error) *op { return &op{apply: apply, done: make(chan error, 1)} }

// writer is the one goroutine that changes the file.
type writer struct {
	update func(func(*bolt.Tx) error) error // bolt.DB.Update
	view   func(func(*bolt.Tx) error) error // bolt.DB.View
	log    *slog.Logger

	mu     sync.Mutex
	queue  []*op // in the order of the calls
	closed bool

	wake    chan struct{} // has room for one: there is something in the queue, or it was closed
	stopped chan struct{} // closed when the last operation was answered

	// The writer's goroutine only.
	broken  error // set once
	failing bool  // the disk refused the latest transaction
}

func newWriter(db *bolt.DB, log *slog.Logger) *writer {
	return &writer{update: db.Update, view: db.View, log: log, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
}

// enqueue takes an operation into the line. It never blocks.
func (w *writer) enqueue(o *op) {
	w.mu.Lock()
	closed := w.closed
	if !closed {
		w.queue = append(w.queue, o)
	}
	w.mu.Unlock()
	if closed {
		o.done <- ErrClosed
		return
	}
	w.poke()
}

func (w *writer) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// close lets the writer finish what is queued and waits for it.
func (w *writer) close() {
	w.mu.Lock()
	w.closed = true
	w.mu.Unlock()
	w.poke()
	<-w.stopped
}

// run writes batches until the writer is closed and its queue is empty.
func (w *writer) run() {
	defer close(w.stopped)
	debug.SetPanicOnFault(true) // a page that cannot be read is an error of the batch, not the end of the daemon
	batch := make([]*op, 0, maxBatch)
	for range w.wake {
		for {
			w.gather()
			var last bool
			batch, last = w.take(batch[:0])
			if len(batch) == 0 {
				if last {
					return
				}
				break
			}
			w.commit(batch)
			clear(batch)
		}
	}
}

// company is how long patient operations wait. The end of a receipt is followed by the beginning of the next one on the
// same device within a few milliseconds, and one flush serves both.
const company = 4 * time.Millisecond

// gather waits while only patient operations are queued, at most for company.
func (w *writer) gather() {
	if !w.onlyPatient() {
		return
	}
	timer := time.NewTimer(company)
	defer timer.Stop()
	for w.onlyPatient() {
		select {
		case <-w.wake:
		case <-timer.C:
			return
		}
	}
}

func (w *writer) onlyPatient() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || len(w.queue) == 0 {
		return false
	}
	for _, o := range w.queue {
		if !o.patient {
			return false
		}
	}
	return true
}

// take moves what waits into batch, but what its caller has given up. An empty batch is the last one when last is set.
func (w *writer) take(batch []*op) (_ []*op, last bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for n < len(w.queue) && len(batch) < maxBatch {
		if o := w.queue[n]; o.claimed.CompareAndSwap(false, true) {
			batch = append(batch, o)
		}
		n++
	}
	rest := copy(w.queue, w.queue[n:])
	clear(w.queue[rest:])
	w.queue = w.queue[:rest]
	return batch, w.closed
}

// commit brings a batch to the disk and answers every operation of it. It shuffles ops.
//
// One pass applies all operations in one transaction. It is repeated without the culprit when an operation fails after it
// wrote, and without those that asked for room when the disk has none. Each repetition has fewer operations, so it ends.
func (w *writer) commit(ops []*op) {
	for len(ops) > 0 {
		if w.broken != nil {
			answer(ops, w.broken)
			return
		}
		spoiler, err := w.pass(ops)
		switch {
		case spoiler != nil:
			spoiler.done <- spoiler.err
			ops = without(ops, func(o *op) bool { return o == spoiler })
		case err == nil:
			for _, o := range ops {
				o.done <- o.err
			}
			w.recovered(ops)
			return
		case errors.Is(err, ErrBroken):
			w.broken = err
			w.log.Error("store stopped writing", "error", err)
		default:
			if !w.failing { // once an outage, not once a request
				w.failing = true
				w.log.Error("store cannot write, new jobs are turned away", "error", err)
			}
			ops = w.turnAway(ops, err)
		}
	}
}

// recovered ends an outage once something was written again.
func (w *writer) recovered(ops []*op) {
	if !w.failing {
		return
	}
	for _, o := range ops {
		if o.wrote {
			w.failing = false
			w.log.Info("store writes again")
			return
		}
	}
}

// turnAway answers the operations that a failed transaction is failed for, and returns those to try again.
func (w *writer) turnAway(ops []*op, err error) []*op {
	wrote := func(o *op) bool { return o.wrote }
	refused := func(o *op) bool { return o.wrote && o.refusable }
	culprit := func(*op) bool { return true } // the transaction did not even begin
	for _, o := range ops {
		if refused(o) {
			culprit = refused
			break
		}
		if wrote(o) {
			culprit = wrote
		}
	}
	for _, o := range ops {
		if culprit(o) {
			o.done <- fmt.Errorf("%w: %w", ErrWrite, err)
		}
	}
	return without(ops, culprit)
}

var (
	errSpoiled = errors.New("an operation failed after it wrote")
	errIdle    = errors.New("no operation wrote anything")
)

// pass applies all operations in one transaction. On success each has its own outcome in err. spoiler is an operation
// that failed after it wrote: then nothing was applied. An error means that nothing was applied either, unless it is
// ErrBroken. A batch that only read is not written at all.
func (w *writer) pass(ops []*op) (spoiler *op, err error) {
	id := -1
	for _, o := range ops {
		o.err, o.wrote = nil, false
	}
	defer func() {
		if p := recover(); p != nil { // out of bbolt itself: its locks and its memory are not to be trusted any more
			spoiler, err = nil, fmt.Errorf("%w: %w: %v", ErrBroken, ErrCorrupt, p)
		}
	}()
	err = w.update(func(tx *bolt.Tx) error {
		id = tx.ID()
		t := &txn{tx: tx}
		idle := true
		for _, o := range ops {
			o.err = t.run(o.apply)
			o.wrote = t.wrote
			if o.err != nil && o.wrote {
				spoiler = o
				return errSpoiled
			}
			idle = idle && !o.wrote
		}
		if idle {
			return errIdle
		}
		return nil
	})
	switch {
	case err == nil, errors.Is(err, errIdle):
		return nil, nil
	case errors.Is(err, errSpoiled):
		return spoiler, nil
	case id >= 0 && w.visible(id):
		return nil, fmt.Errorf("%w: %w", ErrBroken, err)
	default:
		return nil, err
	}
}

// run applies one operation. A panic in it, such as a fault on a bad page, is its failure.
func (t *txn) run(apply func(*txn) error) (err error) {
	t.wrote = false
	defer func() {
		if p := recover(); p != nil {
			t.wrote = true // nobody knows
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	return apply(t)
}

// visible reports whether the failed transaction is the one readers now see: its last step, the flush of the page that
// points to it, is the one that failed. Then it may or may not be there after a power cut, and writing on would
// overwrite the only older page that is certain.
func (w *writer) visible(id int) bool {
	now := id
	err := w.view(func(tx *bolt.Tx) error {
		now = tx.ID()
		return nil
	})
	return err != nil || now >= id
}

func answer(ops []*op, err error) {
	for _, o := range ops {
		o.done <- err
	}
}

func without(ops []*op, gone func(*op) bool) []*op {
	kept := ops[:0]
	for _, o := range ops {
		if !gone(o) {
			kept = append(kept, o)
		}
	}
	return kept
}
