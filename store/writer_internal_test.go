package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	bolt "go.etcd.io/bbolt"

	"frpoold/fiscal"
)

func openInternal(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "x.db"), Options{Now: time.Now})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, errors.Join(s.Check(), s.Close())) })
	return s
}

// together queues operations so that they meet in one batch, and returns their answers.
func together(s *Store, ops ...*op) []error {
	gate, reached := make(chan struct{}), make(chan struct{})
	s.w.enqueue(newOp(func(*txn) error { close(reached); <-gate; return nil }))
	<-reached
	for _, o := range ops {
		s.w.enqueue(o)
	}
	close(gate)
	errs := make([]error, len(ops))
	for i, o := range ops {
		errs[i] = <-o.done
	}
	return errs
}

func putShift(key, value string) *op {
	return newOp(func(t *txn) error { return t.put(bucketShifts, []byte(key), []byte(value)) })
}

func shift(t *testing.T, s *Store, key string) string {
	t.Helper()
	var v string
	require.NoError(t, s.view(func(t *txn) error { v = string(t.get(bucketShifts, []byte(key))); return nil }))
	return v
}

var errTest = errors.New("it broke")

// Two shifts as Check accepts them.
const one, two = `{"number":1}`, `{"number":2}`

func TestOperationsOfABatchAreApart(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]*op{
		"fails before it writes": newOp(func(*txn) error { return errTest }),
		"fails after it wrote": newOp(func(t *txn) error {
			if err := t.put(bucketShifts, []byte("half"), []byte(one)); err != nil {
				return err
			}
			return errTest
		}),
		"panics after it wrote": newOp(func(t *txn) error {
			_ = t.put(bucketShifts, []byte("half"), []byte(one))
			panic(errTest)
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openInternal(t)
			errs := together(s, putShift("a", one), bad, putShift("b", two))
			require.NoError(t, errs[0])
			require.ErrorContains(t, errs[1], errTest.Error())
			require.NoError(t, errs[2])
			assert.Equal(t, one, shift(t, s, "a"))
			assert.Equal(t, two, shift(t, s, "b"))
			assert.Empty(t, shift(t, s, "half"), "nothing of the failed one is left")
		})
	}
}

// What an operation saw of one that is taken out again does not count: it is applied anew.
func TestOperationsAreAppliedAnewWithoutTheSpoiler(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	spoiler := newOp(func(t *txn) error {
		_ = t.put(bucketShifts, []byte("a"), []byte(one))
		return errTest
	})
	var saw []bool
	reader := newOp(func(t *txn) error {
		saw = append(saw, t.has(bucketShifts, []byte("a")))
		return nil
	})
	third := newOp(func(t *txn) error { // spoils the first pass only, after the reader
		if len(saw) == 1 {
			_ = t.put(bucketShifts, []byte("c"), []byte(one))
			return errTest
		}
		return nil
	})
	errs := together(s, spoiler, reader, third)
	require.ErrorIs(t, errs[0], errTest)
	require.NoError(t, errs[1])
	require.ErrorIs(t, errs[2], errTest)
	assert.Equal(t, []bool{false, false}, saw)
	assert.Empty(t, shift(t, s, "c"))
}

// failing makes every transaction fail that writes into the shifts bucket, as a full disk would.
func failing(s *Store, when func(writes int) bool) (count *int) {
	real, n := s.w.update, 0
	s.w.update = func(fn func(*bolt.Tx) error) error {
		return real(func(tx *bolt.Tx) error {
			if err := fn(tx); err != nil {
				return err
			}
			n++
			if when(n) {
				return syscall.ENOSPC
			}
			return nil
		})
	}
	return &n
}

func TestFailedCommitFailsItsWholeBatchAndNoMore(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	failing(s, func(n int) bool { return n == 1 })
	read := newOp(func(t *txn) error { t.get(bucketShifts, []byte("a")); return errTest })
	errs := together(s, putShift("a", one), read, putShift("b", one))
	for _, i := range []int{0, 2} {
		require.ErrorIs(t, errs[i], ErrWrite)
		require.ErrorIs(t, errs[i], syscall.ENOSPC)
	}
	require.ErrorIs(t, errs[1], errTest, "who wrote nothing has its own answer")
	assert.Empty(t, shift(t, s, "a"))
	require.NoError(t, together(s, putShift("a", two))[0])
	assert.Equal(t, two, shift(t, s, "a"))
}

// A batch that does not fit goes without those that ask for room, first of all.
func TestNewWorkIsTurnedAwayBeforeWorkInHand(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	failing(s, func(n int) bool { return n == 1 })
	fresh := putShift("new", one)
	fresh.refusable = true
	errs := together(s, fresh, putShift("old", one))
	require.ErrorIs(t, errs[0], ErrWrite)
	require.NoError(t, errs[1])
	assert.Empty(t, shift(t, s, "new"))
	assert.Equal(t, one, shift(t, s, "old"))
}

func TestNewJobsAreTurnedAwayBeforeMoves(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	failing(s, func(n int) bool { return n == 2 })
	job := func(id fiscal.JobID) fiscal.Job {
		return fiscal.Job{ID: id, ExternalID: string(id), State: fiscal.JobQueued, Operation: fiscal.Sell, Needs: fiscal.Needs{TaxSystem: fiscal.TaxOSN}}
	}
	receipt := fiscal.Receipt{Operation: fiscal.Sell, TaxSystem: fiscal.TaxOSN}
	_, _, err := s.Accept(context.Background(), job("A"), receipt)
	require.NoError(t, err)

	gate, reached, accepted := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	s.w.enqueue(newOp(func(*txn) error { close(reached); <-gate; return nil }))
	<-reached
	canceled := job("A")
	canceled.State = fiscal.JobCanceled
	move := s.Advance(fiscal.JobQueued, canceled)
	go func() {
		_, _, err := s.Accept(context.Background(), job("B"), receipt)
		accepted <- err
	}()
	require.Eventually(t, func() bool {
		s.w.mu.Lock()
		defer s.w.mu.Unlock()
		return len(s.w.queue) == 2
	}, 10*time.Second, time.Millisecond)
	close(gate)
	require.NoError(t, <-move)
	require.ErrorIs(t, <-accepted, ErrWrite)
}

func TestTransactionThatDoesNotBegin(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	real := s.w.update
	s.w.update = func(func(*bolt.Tx) error) error { return errTest }
	require.ErrorIs(t, s.change(putShift("a", one).apply), ErrWrite)
	require.ErrorIs(t, s.change(func(*txn) error { return nil }), ErrWrite, "who only reads learns nothing either")
	s.between(func() { s.w.update = real })
	require.NoError(t, together(s, putShift("a", one))[0])
}

// between runs fn in the writer's place: nothing is queued, and the next enqueue orders it before the writer.
func (s *Store) between(fn func()) {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	fn()
}

// The last flush fails after the page was handed over: it may or may not be on disk.
func TestUnconfirmedCommitEndsAllWriting(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	real := s.w.update
	s.w.update = func(fn func(*bolt.Tx) error) error {
		if err := real(fn); err != nil {
			return err
		}
		return syscall.EIO
	}
	errs := together(s, putShift("a", one), newOp(func(*txn) error { return nil }))
	require.ErrorIs(t, errs[0], ErrBroken)
	require.ErrorIs(t, errs[0], syscall.EIO)
	require.NotErrorIs(t, errs[0], ErrWrite, "nobody may read: nothing was applied")
	s.between(func() { s.w.update = real })
	require.ErrorIs(t, s.change(putShift("b", one).apply), ErrBroken)
	require.ErrorIs(t, s.Writable(context.Background()), ErrBroken)
	assert.Empty(t, shift(t, s, "b"), "reads go on")
}

func TestPanicInCommitEndsAllWriting(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	s.w.update = func(func(*bolt.Tx) error) error { panic("page 7 is not what it says") }
	err := s.change(putShift("a", one).apply)
	require.ErrorIs(t, err, ErrBroken)
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorContains(t, err, "page 7")
}

// A batch in which nobody writes costs no flush.
func TestReadingBatchIsNotWritten(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	commits := failing(s, func(int) bool { return false })
	errs := together(s, newOp(func(*txn) error { return nil }), newOp(func(*txn) error { return errTest }))
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], errTest)
	assert.Zero(t, *commits)
}

func TestManyOperationsShareOneCommit(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	commits := failing(s, func(int) bool { return false })
	ops := make([]*op, 2*maxBatch)
	for i := range ops {
		ops[i] = putShift(fmt.Sprint(i%10), one)
	}
	for _, err := range together(s, ops...) {
		require.NoError(t, err)
	}
	assert.Equal(t, 2, *commits)
}

// A caller that gives up before its turn has written nothing; one whose turn has come gets the true answer.
func TestGivingUp(t *testing.T) {
	t.Parallel()
	s := openInternal(t)
	gate, reached := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	inWork := make(chan error, 1)
	go func() {
		inWork <- s.write(ctx, newOp(func(t *txn) error {
			close(reached)
			<-gate
			return t.put(bucketShifts, []byte("in work"), []byte(one))
		}))
	}()
	<-reached
	cancel()
	err := s.write(ctx, putShift("late", one))
	require.ErrorIs(t, err, context.Canceled)
	close(gate)
	require.NoError(t, <-inWork)
	assert.Equal(t, one, shift(t, s, "in work"))
	require.NoError(t, together(s, putShift("after", one))[0])
	assert.Empty(t, shift(t, s, "late"))
}

// Close answers everything that was queued before it.
func TestCloseFinishesTheQueue(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x.db")
	s, err := Open(path, Options{Now: time.Now})
	require.NoError(t, err)
	gate, reached := make(chan struct{}), make(chan struct{})
	s.w.enqueue(newOp(func(*txn) error { close(reached); <-gate; return nil }))
	<-reached
	ops := make([]*op, maxBatch+10)
	for i := range ops {
		ops[i] = putShift(fmt.Sprint(i), one)
		s.w.enqueue(ops[i])
	}
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	close(gate)
	for _, o := range ops {
		require.NoError(t, <-o.done)
	}
	require.NoError(t, <-closed)
	late := putShift("late", one)
	s.w.enqueue(late)
	require.ErrorIs(t, <-late.done, ErrClosed)

	s, err = Open(path, Options{Now: time.Now, FullCheck: true})
	require.NoError(t, err)
	assert.Equal(t, one, shift(t, s, fmt.Sprint(len(ops)-1)))
	require.NoError(t, s.Close())
}
