package dispatcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"frpoold/fiscal"
)

// diary is what happened in a test, in order: durable writes, what devices did, holds. Journal and fleet share one.
type diary struct {
	mu      sync.Mutex
	entries []string
	onEntry func(n int) // called with mu held, after the n-th entry
}

func (d *diary) note(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := fmt.Sprintf(format, args...)
	d.entries = append(d.entries, e)
	if d.onEntry != nil {
		d.onEntry(len(d.entries))
	}
}

// of are the entries that begin with one of the prefixes; all without.
func (d *diary) of(prefixes ...string) (list []string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.entries {
		if len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(e, p) }) {
			list = append(list, e)
		}
	}
	return list
}

func (d *diary) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entries = nil
}

var (
	errDiskFull = errors.New("no space left on device")
	errNoJob    = &fiscal.UserError{Class: fiscal.ClassNotFound, Code: "receipt_not_found", Message: "there is no such receipt"}
)

// stale is the journal's refusal of a move whose starting state is not the stored one.
type stale struct{ want, have fiscal.JobState }

func (e *stale) Error() string           { return fmt.Sprintf("stored as %s, not as %s", e.have, e.want) }
func (e *stale) Stored() fiscal.JobState { return e.have }

// memory is a Journal without a disk. Records go through JSON, as they would on disk. Writes take their place at the call
// and are applied in that order; they can be slow, fail, or fail after they were applied.
type memory struct {
	diary *diary

	mu       sync.Mutex
	takes    time.Duration // of a write
	jobs     map[fiscal.JobID]string
	receipts map[fiscal.JobID]string
	external map[string]fiscal.JobID
	before   <-chan struct{} // the write ahead in the line
	// fails decides about each write of a state, "accept" for new jobs; applied says that it is on disk all the same.
	fails   func(id fiscal.JobID, what string) (applied bool, err error)
	tried   map[string]int // writes tried, by what
	noReads error          // what Receipt fails with
	dead    atomic.Bool    // the daemon over it was killed: nothing reaches the disk any more
}

var _ Journal = (*memory)(nil)

func newMemory(d *diary) *memory {
	return &memory{
		diary: d, jobs: map[fiscal.JobID]string{}, receipts: map[fiscal.JobID]string{}, external: map[string]fiscal.JobID{},
		tried: map[string]int{},
	}
}

// copy is the disk as it is now, for another life.
func (m *memory) copy(d *diary) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := newMemory(d)
	c.jobs, c.receipts, c.external = maps.Clone(m.jobs), maps.Clone(m.receipts), maps.Clone(m.external)
	return c
}

// slow makes every write take its time from now on.
func (m *memory) slow(takes time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.takes = takes
}

func closed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

// failing makes every write of a kind fail from now on; nil ends it.
func (m *memory) failing(f func(id fiscal.JobID, what string) (bool, error)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fails = f
}

// fullFor makes every write of one kind fail.
func (m *memory) fullFor(what string) {
	m.failing(func(_ fiscal.JobID, w string) (bool, error) {
		if w == what {
			return false, errDiskFull
		}
		return true, nil
	})
}

// full makes every write fail while the disk is full.
func (m *memory) full(is bool) {
	if !is {
		m.failing(nil)
		return
	}
	m.failing(func(fiscal.JobID, string) (bool, error) { return false, errDiskFull })
}

// failOnce makes the next write of a kind fail, as applied says.
func (m *memory) failOnce(what string, applied bool) {
	done := false // guarded by mu, which is held during a write
	m.failing(func(_ fiscal.JobID, w string) (bool, error) {
		if w != what || done {
			return true, nil
		}
		done = true
		return applied, errDiskFull
	})
}

func (m *memory) tries(what string) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tried[what]
}

// write applies a change when those before it are through.
func (m *memory) write(id fiscal.JobID, what string, apply func() error) <-chan error {
	answer := make(chan error, 1)
	done := make(chan struct{})
	m.mu.Lock()
	ahead, takes := m.before, m.takes
	m.before = done
	m.mu.Unlock()
	work := func() {
		defer close(done)
		if ahead != nil {
			<-ahead
		}
		if takes > 0 {
			time.Sleep(takes)
		}
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.dead.Load() {
			answer <- errors.New("nobody hears this")
			return
		}
		m.tried[what]++
		applied, err := true, error(nil)
		if m.fails != nil {
			applied, err = m.fails(id, what)
		}
		if err == nil || applied {
			if applyErr := apply(); applyErr != nil {
				err = applyErr
			} else {
				m.diary.note("write %s %s", id, what)
			}
		}
		answer <- err
	}
	if takes > 0 || ahead != nil && !closed(ahead) {
		go work()
	} else {
		work()
	}
	return answer
}

func (m *memory) Accept(_ context.Context, j fiscal.Job, r fiscal.Receipt) (stored fiscal.Job, created bool, err error) {
	key := fmt.Sprintf("%d/%s", j.Integration, j.ExternalID)
	err = <-m.write(j.ID, "accept", func() error {
		if id, ok := m.external[key]; ok {
			return json.Unmarshal([]byte(m.jobs[id]), &stored)
		}
		if _, ok := m.jobs[j.ID]; ok {
			return errors.New("the record exists already")
		}
		stored, created = j, true
		m.external[key] = j.ID
		m.jobs[j.ID], m.receipts[j.ID] = encode(j), encode(r)
		return nil
	})
	if err != nil {
		return fiscal.Job{}, false, err
	}
	return stored, created, nil
}

// Known finds the job of an external id.
func (m *memory) Known(i fiscal.IntegrationID, externalID string) (fiscal.Job, bool, error) {
	m.mu.Lock()
	id, ok := m.external[fmt.Sprintf("%d/%s", i, externalID)]
	m.mu.Unlock()
	if !ok {
		return fiscal.Job{}, false, nil
	}
	j, err := m.Job(id)
	return j, err == nil, err
}

func encode(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func decode[T any](text string) (v T) {
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		panic(err)
	}
	return v
}

func (m *memory) Advance(from fiscal.JobState, j fiscal.Job) <-chan error {
	text := encode(j)
	return m.write(j.ID, j.State.String(), func() error {
		if from == fiscal.JobAssigned || j.State == fiscal.JobAssigned {
			return errors.New("assigned is never stored")
		}
		record, ok := m.jobs[j.ID]
		if !ok {
			return errNoJob
		}
		if have := decode[fiscal.Job](record).State; have != from {
			return &stale{from, have}
		}
		m.jobs[j.ID] = text
		return nil
	})
}

func (m *memory) Job(id fiscal.JobID) (fiscal.Job, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record, ok := m.jobs[id]
	if !ok {
		return fiscal.Job{}, errNoJob
	}
	return decode[fiscal.Job](record), nil
}

func (m *memory) Receipt(id fiscal.JobID) (fiscal.Receipt, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	record, ok := m.receipts[id]
	if !ok || m.noReads != nil {
		return fiscal.Receipt{}, errors.Join(errNoJob, m.noReads)
	}
	return decode[fiscal.Receipt](record), nil
}

func (m *memory) Unfinished() (list []fiscal.Job, err error) {
	for _, j := range m.all() {
		if !j.State.Final() {
			list = append(list, j)
		}
	}
	return list, nil
}

// all are the stored jobs, ascending by id.
func (m *memory) all() (list []fiscal.Job) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range slices.Sorted(maps.Keys(m.jobs)) {
		list = append(list, decode[fiscal.Job](m.jobs[id]))
	}
	return list
}
