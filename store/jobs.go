package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"

	"frpoold/fiscal"
)

// Accept stores a new queued job with its receipt. When it returns, the job is on disk.
//
// A job whose (integration, external id) is known is not stored: stored is then the job that is there, created is false,
// and the caller compares the digests. Of several calls racing with one external id exactly one creates. It fails with
// ErrExists when the id is taken, ErrNotStored, ErrWrite or the end of ctx, and then nothing was stored; after ErrBroken
// nobody knows.
func (s *Store) Accept(ctx context.Context, j fiscal.Job, r fiscal.Receipt) (stored fiscal.Job, created bool, err error) {
	if j.ID == "" || j.ExternalID == "" || j.State != fiscal.JobQueued {
		return fiscal.Job{}, false, fmt.Errorf("%w: a new job needs an id, an external id and the state queued", ErrNotStored)
	}
	job, err := json.Marshal(&j)
	if err != nil {
		return fiscal.Job{}, false, fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	receipt, err := json.Marshal(&r)
	if err != nil {
		return fiscal.Job{}, false, fmt.Errorf("%w: %w", ErrNotStored, err)
	}
	// The check is made by the writer and not by a quicker read beforehand: a read may show a job whose transaction is
	// not confirmed yet, and the answer "we have it" would be a promise a power cut can break.
	var known []byte
	id, ext := []byte(j.ID), externalKey(j.Integration, j.ExternalID)
	o := newOp(func(t *txn) error {
		known = nil
		if other := t.get(bucketExternal, ext); other != nil {
			known = bytes.Clone(t.get(bucketJobs, other))
			if known == nil {
				return fmt.Errorf("%w: the external id %q names the job %s, which is not there", ErrCorrupt, j.ExternalID, other)
			}
			return nil
		}
		if t.has(bucketJobs, id) {
			return fmt.Errorf("job %s: %w", j.ID, ErrExists)
		}
		return t.addJob(id, ext, byIntegrationKey(j.Integration, j.ID), job, receipt)
	})
	o.refusable = true
	if err := s.write(ctx, o); err != nil {
		return fiscal.Job{}, false, err
	}
	if known == nil {
		return j, true, nil
	}
	stored, err = decode[fiscal.Job](bucketJobs, ext, known)
	return stored, false, err
}

func (t *txn) addJob(id, ext, by, job, receipt []byte) error {
	if err := t.put(bucketJobs, id, job); err != nil {
		return err
	}
	if err := t.put(bucketReceipts, id, receipt); err != nil {
		return err
	}
	if err := t.put(bucketUnfinished, id, stateValue(fiscal.JobQueued)); err != nil {
		return err
	}
	if err := t.put(bucketExternal, ext, id); err != nil {
		return err
	}
	return t.put(bucketByIntegration, by, nil)
}

func stateValue(s fiscal.JobState) []byte { return []byte{byte(s)} }

// Advance replaces a job's record, provided that it is stored in the state from. It queues at once, so that the order of
// the calls is the order of the moves, and answers on the channel when the move is on disk. A final state takes the job
// out of the unfinished ones and, with a callback URL, puts a delivery into the outbox in the same transaction.
//
// The answer is nil, *StateError, ErrNotFound, ErrNotStored, ErrWrite (the record is as it was), ErrBroken (nobody knows)
// or ErrClosed. The channel has room: nobody has to read it.
func (s *Store) Advance(from fiscal.JobState, j fiscal.Job) <-chan error {
	o := newOp(nil)
	if err := movable(from, j.State); err != nil {
		o.done <- fmt.Errorf("job %s: %w", j.ID, err)
		return o.done
	}
	record, err := json.Marshal(&j)
	if err != nil {
		o.done <- fmt.Errorf("%w: %w", ErrNotStored, err)
		return o.done
	}
	var callback *fiscal.Delivery
	if j.State.Final() && j.CallbackURL != "" {
		now := s.now()
		callback = &fiscal.Delivery{Job: j.ID, Integration: j.Integration, URL: j.CallbackURL, CreatedAt: now, NextTry: now}
	}
	id, to := []byte(j.ID), j.State
	o.apply = func(t *txn) error {
		// The state's own little bucket answers without reading the job, which may carry kilobytes of evidence.
		have := t.get(bucketUnfinished, id)
		if len(have) != 1 {
			return t.notMovable(id, from)
		}
		if have := fiscal.JobState(have[0]); have != from {
			return &StateError{ID: fiscal.JobID(id), Want: from, Have: have}
		}
		return t.moveJob(id, from, to, record, callback)
	}
	o.patient = j.State.Final()
	s.w.enqueue(o)
	return o.done
}

func movable(from, to fiscal.JobState) error {
	switch {
	case from == fiscal.JobAssigned || to == fiscal.JobAssigned:
		return fmt.Errorf("%w: assigned is never stored, a restart finds the job queued", ErrNotStored)
	case from.Final():
		return fmt.Errorf("%w: nothing follows %s", ErrNotStored, from)
	default:
		return nil
	}
}

// notMovable says why a job is not among the unfinished ones.
func (t *txn) notMovable(id []byte, from fiscal.JobState) error {
	record := t.get(bucketJobs, id)
	if record == nil {
		return fmt.Errorf("job %s: %w", id, ErrNotFound)
	}
	j, err := decode[fiscal.Job](bucketJobs, id, record)
	if err != nil {
		return err
	}
	return &StateError{ID: j.ID, Want: from, Have: j.State}
}

func (t *txn) moveJob(id []byte, from, to fiscal.JobState, record []byte, callback *fiscal.Delivery) error {
	if err := t.put(bucketJobs, id, record); err != nil {
		return err
	}
	if to.Final() {
		if err := t.del(bucketUnfinished, id); err != nil {
			return err
		}
	} else if to != from {
		if err := t.put(bucketUnfinished, id, stateValue(to)); err != nil {
			return err
		}
	}
	if callback == nil {
		return nil
	}
	return t.addDelivery(*callback)
}

// Job is one job as it is stored. It fails with ErrNotFound.
func (s *Store) Job(id fiscal.JobID) (j fiscal.Job, err error) {
	return readOne[fiscal.Job](s, bucketJobs, []byte(id))
}

// Receipt is a job's receipt. It fails with ErrNotFound.
func (s *Store) Receipt(id fiscal.JobID) (fiscal.Receipt, error) {
	return readOne[fiscal.Receipt](s, bucketReceipts, []byte(id))
}

// Unfinished is every job that is not final, ascending by id. Its cost does not depend on how many finished ones there are.
func (s *Store) Unfinished() (jobs []fiscal.Job, err error) {
	err = s.view(func(t *txn) error {
		return t.scan(bucketUnfinished, nil, nil, func(id, _ []byte) (bool, error) {
			j, err := t.job(id)
			if err != nil {
				return false, err
			}
			jobs = append(jobs, j)
			return true, nil
		})
	})
	return jobs, err
}

// job reads a job that an index says is there.
func (t *txn) job(id []byte) (fiscal.Job, error) {
	record := t.get(bucketJobs, id)
	if record == nil {
		return fiscal.Job{}, fmt.Errorf("%w: the job %s of an index is not there", ErrCorrupt, id)
	}
	return decode[fiscal.Job](bucketJobs, id, record)
}

// readOne copies a record out of its transaction and decodes it there.
func readOne[T any](s *Store, b bucket, key []byte) (v T, err error) {
	if len(key) == 0 {
		return v, fmt.Errorf("%s: %w", b, ErrNotFound)
	}
	err = s.view(func(t *txn) (err error) {
		record := t.get(b, key)
		if record == nil {
			return fmt.Errorf("%s %q: %w", b, key, ErrNotFound)
		}
		v, err = decode[T](b, key, record)
		return err
	})
	return v, err
}
