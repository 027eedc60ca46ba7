package store

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"frpoold/fiscal"
)

const (
	purgeBatch  = 128 // jobs removed in one operation: short enough not to be felt by those behind it
	exportBatch = 256 // jobs copied out of one read transaction
)

// head is what retention needs of a job, without the cost of reading all of it.
type head struct {
	ID          fiscal.JobID         `json:"id"`
	Integration fiscal.IntegrationID `json:"integration"`
	ExternalID  string               `json:"external_id"`
	State       fiscal.JobState      `json:"state"`
	CreatedAt   time.Time            `json:"created_at"`
	UpdatedAt   time.Time            `json:"updated_at"`
}

// copied is a job outside of its transaction.
type copied struct {
	head
	job, receipt []byte
}

// Purge removes finished jobs that were last touched before the given time, with their receipts, indexes and deliveries.
// Each is first written to export as a line {"job":…,"receipt":…}; an export that has a Sync method is synced before
// anything is removed. A nil export keeps nothing. n counts the removed ones.
//
// After an error or a crash the jobs of the last batch may have been exported and not removed; the next run exports them
// again. Their external ids are free again once they are removed. Call it often: the space of what was removed is reused,
// and the list of free pages is part of every write, so a year removed at once makes all writes dear for a while.
func (s *Store) Purge(ctx context.Context, before time.Time, export io.Writer) (n int, err error) {
	old := func(h *head) bool { return h.State.Final() && h.UpdatedAt.Before(before) }
	var after []byte
	for {
		batch, last, err := s.copyJobs(ctx, after, purgeBatch, before, old)
		if err != nil {
			return n, err
		}
		if len(batch) > 0 {
			if err := exportPairs(export, batch); err != nil {
				return n, fmt.Errorf("purge: nothing more was removed: %w", err)
			}
			o := newOp(func(t *txn) error { return t.removeJobs(batch) })
			if err := s.write(ctx, o); err != nil {
				return n, fmt.Errorf("purge: %w", err)
			}
			n += len(batch)
		}
		if last == nil {
			return n, nil
		}
		after = last
	}
}

// Export writes the jobs created from from on and before to, one JSON object a line, ascending by id. A zero to is no end.
func (s *Store) Export(ctx context.Context, w io.Writer, from, to time.Time) (n int, err error) {
	out := bufio.NewWriter(w)
	in := func(h *head) bool { return !h.CreatedAt.Before(from) }
	var after []byte
	for {
		batch, last, err := s.copyJobs(ctx, after, exportBatch, to, in)
		if err != nil {
			return n, err
		}
		for _, c := range batch {
			if _, err := out.Write(append(c.job, '\n')); err != nil {
				return n, fmt.Errorf("export: %w", err)
			}
			n++
		}
		if last == nil {
			if err := out.Flush(); err != nil {
				return n, fmt.Errorf("export: %w", err)
			}
			return n, nil
		}
		after = last
	}
}

// copyJobs copies jobs behind after that pick wants, at most limit of them, out of one short transaction, so that a slow
// reader of an export holds up nobody. last is where to go on, nil at the end. Ids ascend with time, so the first job
// created at or after end is the end; a zero end is none.
func (s *Store) copyJobs(ctx context.Context, after []byte, limit int, end time.Time, pick func(*head) bool) (batch []copied, last []byte, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	err = s.view(func(t *txn) error {
		seen := 0
		return t.scan(bucketJobs, nil, after, func(id, v []byte) (bool, error) {
			if bytes.Equal(id, after) {
				return true, nil
			}
			h, err := decode[head](bucketJobs, id, v)
			if err != nil || !end.IsZero() && !h.CreatedAt.Before(end) {
				last = nil
				return false, err
			}
			if pick(&h) {
				batch = append(batch, copied{h, bytes.Clone(v), bytes.Clone(t.get(bucketReceipts, id))})
			}
			seen++
			last = append(last[:0], id...)
			return len(batch) < limit && seen < maxScan, nil
		})
	})
	return batch, last, err
}

func exportPairs(w io.Writer, batch []copied) error {
	if w == nil {
		return nil
	}
	out := bufio.NewWriter(w)
	enc := json.NewEncoder(out)
	for _, c := range batch {
		line := struct {
			Job     json.RawMessage `json:"job"`
			Receipt json.RawMessage `json:"receipt"`
		}{c.job, c.receipt}
		if err := enc.Encode(line); err != nil {
			return err
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	if f, ok := w.(interface{ Sync() error }); ok {
		return f.Sync()
	}
	return nil
}

func (t *txn) removeJobs(batch []copied) error {
	for i := range batch {
		if err := t.removeJob(&batch[i].head); err != nil {
			return err
		}
	}
	return nil
}

func (t *txn) removeJob(h *head) error {
	id := []byte(h.ID)
	for _, k := range []struct {
		from bucket
		key  []byte
	}{
		{bucketJobs, id},
		{bucketReceipts, id},
		{bucketExternal, externalKey(h.Integration, h.ExternalID)},
		{bucketByIntegration, byIntegrationKey(h.Integration, h.ID)},
	} {
		if err := t.del(k.from, k.key); err != nil {
			return err
		}
	}
	var deliveries []uint64
	prefix := deliveriesOf(h.ID)
	err := t.scan(bucketOutboxJob, prefix, nil, func(k, _ []byte) (bool, error) {
		deliveries = append(deliveries, binary.BigEndian.Uint64(k[len(prefix):]))
		return true, nil
	})
	if err != nil {
		return err
	}
	for _, d := range deliveries {
		if _, err := t.dropDelivery(d); err != nil {
			return err
		}
	}
	return nil
}
