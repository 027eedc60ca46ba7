package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Options are what a store is told at Open.
type Options struct {
	// Timeout is how long Open waits for another process to let go of the file; 0 means one second.
	Timeout time.Duration
	// Now is the wall clock, for what the store dates itself: deliveries, audit entries. It is required.
	Now func() time.Time
	// Log gets the few events nobody asked for; nil keeps none.
	Log *slog.Logger
	// FullCheck runs Check before Open returns. It reads the whole file.
	FullCheck bool
}

// Store is an open store. Its methods may be called by any goroutine.
type Store struct {
	path string
	now  func() time.Time
	db   *bolt.DB
	w    *writer

	closing   atomic.Bool // Close was called: long readers stop
	closeOnce sync.Once
	closeErr  error
}

// Path is the file.
func (s *Store) Path() string { return s.path }

// Close writes what is queued, ends a backup under way, then releases the file. Later operations fail with ErrClosed.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.closing.Store(true)
		s.w.close()
		s.closeErr = s.db.Close()
	})
	return s.closeErr
}

// view runs fn in a read transaction. fn must be short, wait for nothing and keep no memory of the transaction.
func (s *Store) view(fn func(t *txn) error) error {
	err := guard(func() error {
		return s.db.View(func(tx *bolt.Tx) error { return fn(&txn{tx: tx}) })
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

// write queues apply and waits until it is on disk. When ctx ends before the writer took it, it is withdrawn, and
// nothing was written; from then on the answer is waited for, since it is on its way to the disk.
func (s *Store) write(ctx context.Context, o *op) error {
	s.w.enqueue(o)
	select {
	case err := <-o.done:
		return err
	case <-ctx.Done():
		if o.claimed.CompareAndSwap(false, true) {
			return fmt.Errorf("nothing was stored: %w", context.Cause(ctx))
		}
		return <-o.done
	}
}

// change is write for callers that have no context.
func (s *Store) change(apply func(t *txn) error) error {
	o := newOp(apply)
	s.w.enqueue(o)
	return <-o.done
}

// Writable makes one tiny durable write. It fails as any write would.
func (s *Store) Writable(ctx context.Context) error {
	value := []byte(s.now().UTC().Format(time.RFC3339))
	o := newOp(func(t *txn) error { return t.put(bucketMeta, metaProbe, value) })
	o.refusable = true
	return s.write(ctx, o)
}

// Backup writes a consistent copy of the whole store, as it stands now, while work goes on. The copy is a store itself.
// It reads as long as w takes; pages that are freed meanwhile are reused only after it.
func (s *Store) Backup(w io.Writer) (n int64, err error) {
	err = s.view(func(t *txn) error {
		n, err = t.tx.WriteTo(untilClosed{w, &s.closing})
		return err
	})
	if err != nil && s.closing.Load() {
		err = ErrClosed // bbolt tells it as text only
	}
	if err != nil {
		return n, fmt.Errorf("backup: %w", err)
	}
	return n, nil
}

// untilClosed is a writer that fails once the store is being closed.
type untilClosed struct {
	w       io.Writer
	closing *atomic.Bool
}

func (u untilClosed) Write(b []byte) (int, error) {
	if u.closing.Load() {
		return 0, ErrClosed
	}
	return u.w.Write(b)
}

// guard turns a fault on the file's memory, and whatever bbolt or we trip over while reading what should not be there,
// into ErrCorrupt. The file is mapped: a page that the disk cannot deliver is a fault, not an error of a read.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrCorrupt, p)
		}
	}()
	return fn()
}
