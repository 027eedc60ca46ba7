package store

import (
	"encoding/json"
	"fmt"

	"frpoold/circuits"
	"frpoold/fiscal"
)

var _ circuits.Store = (*Store)(nil)

// Circuits are all circuits, ascending by id.
func (s *Store) Circuits() ([]circuits.Circuit, error) {
	return readAll[circuits.Circuit](s, bucketCircuits)
}

// CreateCircuit stores a new circuit and gives it its ID, which was never used before.
func (s *Store) CreateCircuit(c circuits.Circuit) (circuits.Circuit, error) {
	err := s.change(func(t *txn) error {
		n, err := t.next(bucketCircuits)
		if err != nil {
			return err
		}
		c.ID = fiscal.CircuitID(n)
		return t.putJSON(bucketCircuits, numberKey(n), &c)
	})
	return c, err
}

// Members are all devices, ascending by eip.
func (s *Store) Members() ([]circuits.Member, error) {
	return readAll[circuits.Member](s, bucketDevices)
}

// CreateMember stores a new device. It fails with ErrExists when the eip is taken.
func (s *Store) CreateMember(m circuits.Member) error {
	return s.change(func(t *txn) error {
		if t.has(bucketDevices, []byte(m.ID)) {
			return fmt.Errorf("device %s: %w", m.ID, ErrExists)
		}
		return t.putJSON(bucketDevices, []byte(m.ID), &m)
	})
}

// UpdateMember replaces a device. It fails with ErrNotFound.
func (s *Store) UpdateMember(m circuits.Member) error {
	return s.change(func(t *txn) error { return t.replaceJSON(bucketDevices, []byte(m.ID), &m) })
}

// DeleteMember removes a device. It fails with ErrNotFound.
func (s *Store) DeleteMember(id fiscal.DeviceID) error {
	return s.change(func(t *txn) error { return t.remove(bucketDevices, []byte(id)) })
}

// Integrations are all integrations, ascending by id.
func (s *Store) Integrations() ([]circuits.Integration, error) {
	return readAll[circuits.Integration](s, bucketIntegrations)
}

// CreateIntegration stores a new integration and gives it its ID, which was never used before.
func (s *Store) CreateIntegration(i circuits.Integration) (circuits.Integration, error) {
	err := s.change(func(t *txn) error {
		n, err := t.next(bucketIntegrations)
		if err != nil {
			return err
		}
		i.ID = fiscal.IntegrationID(n)
		return t.putJSON(bucketIntegrations, numberKey(n), &i)
	})
	return i, err
}

// UpdateIntegration replaces an integration. It fails with ErrNotFound.
func (s *Store) UpdateIntegration(i circuits.Integration) error {
	return s.change(func(t *txn) error { return t.replaceJSON(bucketIntegrations, numberKey(uint64(i.ID)), &i) })
}

// DeleteIntegration removes an integration; its jobs stay. It fails with ErrNotFound.
func (s *Store) DeleteIntegration(id fiscal.IntegrationID) error {
	return s.change(func(t *txn) error { return t.remove(bucketIntegrations, numberKey(uint64(id))) })
}

func readAll[T any](s *Store, b bucket) (all []T, err error) {
	err = s.view(func(t *txn) error {
		return t.scan(b, nil, nil, func(k, v []byte) (bool, error) {
			one, err := decode[T](b, k, v)
			all = append(all, one)
			return true, err
		})
	})
	return all, err
}

func (t *txn) putJSON(b bucket, key []byte, v any) error {
	record, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("record %q of %s: %w", key, b, err)
	}
	return t.put(b, key, record)
}

func (t *txn) replaceJSON(b bucket, key []byte, v any) error {
	if !t.has(b, key) {
		return fmt.Errorf("record %q of %s: %w", key, b, ErrNotFound)
	}
	return t.putJSON(b, key, v)
}

func (t *txn) remove(b bucket, key []byte) error {
	if !t.has(b, key) {
		return fmt.Errorf("record %q of %s: %w", key, b, ErrNotFound)
	}
	return t.del(b, key)
}
