package store

import (
	"encoding/json"
	"fmt"

	"frpoold/fiscal"
)

// shiftRecord is fiscal.ShiftState as it is stored.
type shiftRecord struct {
	Open     bool              `json:"open"`
	Number   uint32            `json:"number"`
	Receipt  uint32            `json:"receipt,omitempty"`
	OpenedAt fiscal.DeviceTime `json:"opened_at"`
}

// SaveShift keeps the newest shift of a fiscal storage, above all its opening time, which no status answer carries and
// which is costly to look up in the archive.
func (s *Store) SaveShift(fn string, sh fiscal.ShiftState) error {
	record, err := json.Marshal(shiftRecord(sh))
	if err != nil {
		return fmt.Errorf("shift %d of FN %s: %w", sh.Number, fn, err)
	}
	return s.change(func(t *txn) error { return t.put(bucketShifts, []byte(fn), record) })
}

// Shift is the shift that was saved last for a fiscal storage. It fails with ErrNotFound.
func (s *Store) Shift(fn string) (fiscal.ShiftState, error) {
	r, err := readOne[shiftRecord](s, bucketShifts, []byte(fn))
	return fiscal.ShiftState(r), err
}
