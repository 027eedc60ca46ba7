package store

import (
	"bytes"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"frpoold/circuits"
	"frpoold/fiscal"
)

const maxFindings = 20 // told by one check; the rest is of the same kind

// Check reads the whole file: every page, every record, and whether the indexes agree with the jobs. It holds up writers
// as long as it takes. It fails with ErrCorrupt and what it found.
func (s *Store) Check() error {
	err := guard(func() error {
		tx, err := s.db.Begin(true) // a writing one, though nothing is written: bbolt's check shares memory with writers
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // there is nothing to undo
		return checkAll(tx)
	})
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}

func checkAll(tx *bolt.Tx) error {
	c := checker{t: &txn{tx: tx}}
	// The records first: bbolt's own check runs in a goroutine of its own, where a pointer to nowhere would end the
	// process. Here it ends the check, and after it every page that bbolt's check will visit has been visited.
	c.jobs()
	c.indexes()
	c.outbox()
	c.rest()
	for err := range tx.Check() { // to its end: its goroutine waits to be heard
		c.found("%w", err)
	}
	if len(c.findings) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, errors.Join(c.findings...))
}

type checker struct {
	t        *txn
	findings []error

	jobCount, unfinishedCount int
}

func (c *checker) found(format string, args ...any) {
	if len(c.findings) < maxFindings {
		c.findings = append(c.findings, fmt.Errorf(format, args...))
	}
}

// rest reads the records nothing else points to.
func (c *checker) rest() {
	c.each(bucketCircuits, readable[circuits.Circuit](bucketCircuits))
	c.each(bucketDevices, readable[circuits.Member](bucketDevices))
	c.each(bucketIntegrations, readable[circuits.Integration](bucketIntegrations))
	c.each(bucketAudit, readable[fiscal.AuditEntry](bucketAudit))
	c.each(bucketShifts, readable[shiftRecord](bucketShifts))
	c.each(bucketMeta, func(_, _ []byte) error { return nil })
}

func readable[T any](b bucket) func(k, v []byte) error {
	return func(k, v []byte) error {
		_, err := decode[T](b, k, v)
		return err
	}
}

// each visits a whole bucket; what the visit cannot read becomes a finding.
func (c *checker) each(b bucket, fn func(k, v []byte) error) {
	err := c.t.scan(b, nil, nil, func(k, v []byte) (bool, error) {
		if err := fn(k, v); err != nil {
			c.found("%s %q: %w", b, k, err)
		}
		return true, nil
	})
	if err != nil {
		c.found("%s: %w", b, err)
	}
}

// jobs checks that everything a job should have is there.
func (c *checker) jobs() {
	c.each(bucketJobs, func(id, v []byte) error {
		c.jobCount++
		j, err := decode[fiscal.Job](bucketJobs, id, v)
		if err != nil {
			return err
		}
		if string(j.ID) != string(id) {
			return fmt.Errorf("the record says it is job %s", j.ID)
		}
		want := stateValue(j.State)
		if j.State.Final() {
			want = nil
		} else {
			c.unfinishedCount++
		}
		if have := c.t.get(bucketUnfinished, id); !bytes.Equal(have, want) {
			return fmt.Errorf("it is %s, the unfinished index says %v", j.State, have)
		}
		if have := c.t.get(bucketExternal, externalKey(j.Integration, j.ExternalID)); !bytes.Equal(have, id) {
			return fmt.Errorf("its external id %q names %q", j.ExternalID, have)
		}
		if !c.t.has(bucketByIntegration, byIntegrationKey(j.Integration, j.ID)) {
			return fmt.Errorf("it is not in the list of integration %d", j.Integration)
		}
		_, err = decode[fiscal.Receipt](bucketReceipts, id, c.t.get(bucketReceipts, id))
		return err
	})
}

// indexes checks that nothing points to a job that is not there: every job has its entries, so more entries than jobs
// means strays.
func (c *checker) indexes() {
	count := func(b bucket, want int) {
		n := 0
		c.each(b, func(_, _ []byte) error { n++; return nil })
		if n != want {
			c.found("%s has %d entries, the jobs account for %d", b, n, want)
		}
	}
	count(bucketReceipts, c.jobCount)
	count(bucketExternal, c.jobCount)
	count(bucketByIntegration, c.jobCount)
	count(bucketUnfinished, c.unfinishedCount)
}

func (c *checker) outbox() {
	all, due := 0, 0
	c.each(bucketOutbox, func(k, v []byte) error {
		all++
		d, err := decode[fiscal.Delivery](bucketOutbox, k, v)
		if err != nil {
			return err
		}
		if !c.t.has(bucketJobs, []byte(d.Job)) {
			return fmt.Errorf("its job %s is not there", d.Job)
		}
		if !c.t.has(bucketOutboxJob, outboxJobKey(d.Job, d.ID)) {
			return fmt.Errorf("it is not in the list of job %s", d.Job)
		}
		if d.NextTry.IsZero() {
			return nil
		}
		due++
		if !c.t.has(bucketOutboxDue, dueKey(d.NextTry, d.ID)) {
			return errors.New("it waits for a try that is not planned")
		}
		return nil
	})
	for b, want := range map[bucket]int{bucketOutboxJob: all, bucketOutboxDue: due} {
		n := 0
		c.each(b, func(_, _ []byte) error { n++; return nil })
		if n != want {
			c.found("%s has %d entries, the deliveries account for %d", b, n, want)
		}
	}
}
