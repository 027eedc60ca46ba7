package store

import (
	"encoding/json"
	"fmt"

	"frpoold/fiscal"
)

// AppendAudit writes an entry at the end of the audit log. It sets Seq, and At when it is zero.
func (s *Store) AppendAudit(e fiscal.AuditEntry) error {
	if e.At.IsZero() {
		e.At = s.now()
	}
	return s.change(func(t *txn) error {
		seq, err := t.next(bucketAudit)
		if err != nil {
			return err
		}
		e.Seq = seq
		record, err := json.Marshal(&e)
		if err != nil {
			return fmt.Errorf("audit entry %d: %w", seq, err)
		}
		return t.put(bucketAudit, numberKey(seq), record)
	})
}

// Audit is at most limit entries behind the sequence number after, oldest first. next is what to ask for after them, 0 at
// the end of the log.
func (s *Store) Audit(after uint64, limit int) (entries []fiscal.AuditEntry, next uint64, err error) {
	limit = pageSize(limit)
	err = s.view(func(t *txn) error {
		return t.scan(bucketAudit, nil, numberKey(after+1), func(k, v []byte) (bool, error) {
			if len(entries) == limit {
				next = entries[limit-1].Seq
				return false, nil
			}
			e, err := decode[fiscal.AuditEntry](bucketAudit, k, v)
			entries = append(entries, e)
			return true, err
		})
	})
	return entries, next, err
}
