package store

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"frpoold/fiscal"
)

// addDelivery puts a new delivery into the outbox and gives it its ID.
func (t *txn) addDelivery(d fiscal.Delivery) (err error) {
	if d.ID, err = t.next(bucketOutbox); err != nil {
		return err
	}
	if err := t.put(bucketOutboxJob, outboxJobKey(d.Job, d.ID), nil); err != nil {
		return err
	}
	return t.putDelivery(d)
}

func (t *txn) putDelivery(d fiscal.Delivery) error {
	record, err := json.Marshal(&d)
	if err != nil {
		return fmt.Errorf("delivery %d: %w", d.ID, err)
	}
	if !d.NextTry.IsZero() {
		if err := t.put(bucketOutboxDue, dueKey(d.NextTry, d.ID), nil); err != nil {
			return err
		}
	}
	return t.put(bucketOutbox, numberKey(d.ID), record)
}

// dropDelivery takes a delivery and its keys out of the outbox. It fails with ErrNotFound.
func (t *txn) dropDelivery(id uint64) (fiscal.Delivery, error) {
	d, err := t.delivery(id)
	if err != nil {
		return d, err
	}
	if err := t.unplan(d); err != nil {
		return d, err
	}
	if err := t.del(bucketOutboxJob, outboxJobKey(d.Job, id)); err != nil {
		return d, err
	}
	return d, t.del(bucketOutbox, numberKey(id))
}

// unplan takes a delivery out of the order in which they are due.
func (t *txn) unplan(d fiscal.Delivery) error {
	if d.NextTry.IsZero() {
		return nil
	}
	return t.del(bucketOutboxDue, dueKey(d.NextTry, d.ID))
}

func (t *txn) delivery(id uint64) (fiscal.Delivery, error) {
	record := t.get(bucketOutbox, numberKey(id))
	if record == nil {
		return fiscal.Delivery{}, fmt.Errorf("delivery %d: %w", id, ErrNotFound)
	}
	return decode[fiscal.Delivery](bucketOutbox, numberKey(id), record)
}

// DueDeliveries are at most limit deliveries whose next try is not after now, the longest due first.
func (s *Store) DueDeliveries(now time.Time, limit int) (due []fiscal.Delivery, err error) {
	end := dueKey(now, ^uint64(0))
	err = s.view(func(t *txn) error {
		if limit <= 0 {
			return nil
		}
		return t.scan(bucketOutboxDue, nil, nil, func(k, _ []byte) (bool, error) {
			if bytes.Compare(k, end) > 0 {
				return false, nil
			}
			d, err := t.delivery(lastNumber(k))
			if err != nil {
				return false, fmt.Errorf("%w: %w", ErrCorrupt, err)
			}
			due = append(due, d)
			return len(due) < limit, nil
		})
	})
	return due, err
}

// UpdateDelivery replaces a delivery after a try. A zero NextTry gives it up: it stays to be seen until its job is
// purged. Its ID and Job do not change. It fails with ErrNotFound.
func (s *Store) UpdateDelivery(d fiscal.Delivery) error {
	return s.change(func(t *txn) error {
		old, err := t.delivery(d.ID)
		if err != nil {
			return err
		}
		if old.Job != d.Job {
			return fmt.Errorf("delivery %d is of job %s, not of %s", d.ID, old.Job, d.Job)
		}
		if err := t.unplan(old); err != nil {
			return err
		}
		return t.putDelivery(d)
	})
}

// RemoveDelivery takes a delivery out of the outbox once it has arrived. One that is gone already is fine.
func (s *Store) RemoveDelivery(id uint64) error {
	return s.change(func(t *txn) error {
		_, err := t.dropDelivery(id)
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	})
}

// Deliveries are those of one job that have not arrived, given up ones included, in the order they were made.
func (s *Store) Deliveries(job fiscal.JobID) (all []fiscal.Delivery, err error) {
	prefix := deliveriesOf(job)
	err = s.view(func(t *txn) error {
		return t.scan(bucketOutboxJob, prefix, nil, func(k, _ []byte) (bool, error) {
			d, err := t.delivery(binary.BigEndian.Uint64(k[len(prefix):]))
			if err != nil {
				return false, fmt.Errorf("%w: %w", ErrCorrupt, err)
			}
			all = append(all, d)
			return true, nil
		})
	})
	return all, err
}
