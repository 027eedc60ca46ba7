package store

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// Check finds every kind of disagreement, each made by hand behind the store's back.
func TestCheckFindsStrays(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	job := func(id fiscal.JobID) fiscal.Job {
		return fiscal.Job{
			ID: id, Integration: 7, ExternalID: "order-" + string(id), State: fiscal.JobQueued, Operation: fiscal.Sell,
			Needs: fiscal.Needs{TaxSystem: fiscal.TaxOSN}, CallbackURL: "https://shop.example", CreatedAt: at,
		}
	}
	receipt := fiscal.Receipt{Operation: fiscal.Sell, TaxSystem: fiscal.TaxOSN}
	id, ext, by := []byte("A"), externalKey(7, "order-A"), byIntegrationKey(7, "A")
	put := func(b bucket, k, v []byte) func(*txn) error { return func(t *txn) error { return t.put(b, k, v) } }
	del := func(b bucket, k []byte) func(*txn) error { return func(t *txn) error { return t.del(b, k) } }
	for name, c := range map[string]struct {
		damage func(*txn) error
		want   string
	}{
		"unfinished entry lost":       {del(bucketUnfinished, id), "the unfinished index says"},
		"unfinished entry wrong":      {put(bucketUnfinished, id, stateValue(fiscal.JobSending)), "the unfinished index says"},
		"unfinished entry of a final": {put(bucketUnfinished, []byte("B"), stateValue(fiscal.JobQueued)), "it is canceled, the unfinished index says"},
		"unfinished entry of nobody":  {put(bucketUnfinished, []byte("C"), stateValue(fiscal.JobQueued)), "unfinished has 2 entries, the jobs account for 1"},
		"external id lost":            {del(bucketExternal, ext), "its external id"},
		"external id stolen":          {put(bucketExternal, ext, []byte("B")), "its external id"},
		"external id of nobody":       {put(bucketExternal, externalKey(7, "x"), id), "external has 3 entries"},
		"integration's entry lost":    {del(bucketByIntegration, by), "not in the list of integration 7"},
		"integration's stray":         {put(bucketByIntegration, byIntegrationKey(8, "A"), nil), "by_integration has 3 entries"},
		"receipt lost":                {del(bucketReceipts, id), `jobs "A"`},
		"receipt of nobody":           {put(bucketReceipts, []byte("C"), []byte("{}")), "receipts has 3 entries"},
		"job lost":                    {del(bucketJobs, id), "receipts has 2 entries, the jobs account for 1"},
		"job under another key":       {put(bucketJobs, []byte("C"), []byte(`{"id":"A","state":"made"}`)), "the record says it is job A"},
		"job is no JSON":              {put(bucketJobs, id, []byte("{")), `record "A" of jobs`},
		"delivery's plan lost":        {del(bucketOutboxDue, dueKey(at, 1)), "waits for a try that is not planned"},
		"delivery's job entry lost":   {del(bucketOutboxJob, outboxJobKey("B", 1)), "not in the list of job B"},
		"delivery lost":               {del(bucketOutbox, numberKey(1)), "outbox_due has 1 entries, the deliveries account for 0"},
		"delivery of nobody":          {put(bucketOutbox, numberKey(2), []byte(`{"id":2,"job":"C"}`)), "its job C is not there"},
		"delivery is no JSON":         {put(bucketOutbox, numberKey(1), nil), `outbox "\x00\x00\x00\x00\x00\x00\x00\x01"`},
		"circuit is no JSON":          {put(bucketCircuits, numberKey(1), []byte("?")), "of circuits"},
		"device is no JSON":           {put(bucketDevices, []byte("x:1"), []byte("?")), "of devices"},
		"integration is no JSON":      {put(bucketIntegrations, numberKey(1), []byte("?")), "of integrations"},
		"audit entry is no JSON":      {put(bucketAudit, numberKey(1), []byte("?")), "of audit"},
		"shift is no JSON":            {put(bucketShifts, []byte("1"), []byte("?")), "of shifts"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := Open(filepath.Join(t.TempDir(), "x.db"), Options{Now: func() time.Time { return at }})
			require.NoError(t, err)
			defer func() { require.NoError(t, s.Close()) }()
			for _, id := range []fiscal.JobID{"A", "B"} {
				_, _, err := s.Accept(context.Background(), job(id), receipt)
				require.NoError(t, err)
			}
			canceled := job("B")
			canceled.State = fiscal.JobCanceled
			require.NoError(t, <-s.Advance(fiscal.JobQueued, canceled))
			require.NoError(t, s.Check())
			require.NoError(t, s.change(c.damage))
			err = s.Check()
			require.ErrorIs(t, err, ErrCorrupt)
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// What an index points to and is not there is damage, not absence.
func TestReadersNameDamage(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "x.db"), Options{Now: time.Now})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for _, damage := range []func(*txn) error{
		func(t *txn) error { return t.put(bucketUnfinished, []byte("A"), stateValue(fiscal.JobQueued)) },
		func(t *txn) error { return t.put(bucketExternal, externalKey(7, "order"), []byte("A")) },
		func(t *txn) error { return t.put(bucketByIntegration, byIntegrationKey(7, "A"), nil) },
		func(t *txn) error { return t.put(bucketOutboxDue, dueKey(time.Unix(1, 0), 1), nil) },
		func(t *txn) error { return t.put(bucketOutboxJob, outboxJobKey("A", 1), nil) },
		func(t *txn) error { return t.put(bucketJobs, []byte("B"), []byte("{")) },
	} {
		require.NoError(t, s.change(damage))
	}
	_, err = s.Unfinished()
	require.ErrorIs(t, err, ErrCorrupt)
	_, _, err = s.Jobs(JobFilter{Integration: 7})
	require.ErrorIs(t, err, ErrCorrupt)
	_, _, err = s.Jobs(JobFilter{ExternalID: "order"})
	require.ErrorIs(t, err, ErrCorrupt)
	_, _, err = s.Jobs(JobFilter{})
	require.ErrorIs(t, err, ErrCorrupt)
	_, _, err = s.Accept(context.Background(), fiscal.Job{ID: "C", Integration: 7, ExternalID: "order", State: fiscal.JobQueued}, fiscal.Receipt{})
	require.ErrorIs(t, err, ErrCorrupt)
	require.ErrorIs(t, <-s.Advance(fiscal.JobQueued, fiscal.Job{ID: "B", State: fiscal.JobSending}), ErrCorrupt)
	_, err = s.DueDeliveries(time.Now(), 10)
	require.ErrorIs(t, err, ErrCorrupt)
	_, err = s.Deliveries("A")
	require.ErrorIs(t, err, ErrCorrupt)
	_, err = s.Job("B")
	require.ErrorIs(t, err, ErrCorrupt)
	_, err = s.Export(context.Background(), nil, time.Time{}, time.Time{})
	require.ErrorIs(t, err, ErrCorrupt)
}
