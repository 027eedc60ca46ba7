package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/store"
	"frpoold/store/storetest"
)

type pair struct {
	Job     fiscal.Job     `json:"job"`
	Receipt fiscal.Receipt `json:"receipt"`
}

func decodeLines[T any](t *testing.T, b []byte) (all []T) {
	t.Helper()
	for line := range bytes.Lines(b) {
		var v T
		require.NoError(t, json.Unmarshal(line, &v))
		all = append(all, v)
	}
	return all
}

// syncedFile remembers how much of it was synced.
type syncedFile struct {
	bytes.Buffer
	synced int
	fail   error
}

func (f *syncedFile) Sync() error {
	f.synced = f.Len()
	return f.fail
}

func TestPurge(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, atEpoch)
	const n = 300 // more than two batches
	for i := range n {
		switch {
		case i == 5:
			accept(t, s, aJob(i)) // old, but not finished
		case i%2 == 0:
			finishWithCallback(t, s, aJob(i))
		default:
			finish(t, s, aJob(i))
		}
	}
	before := aJob(280).CreatedAt // made a second after creation: 0…278 are older
	var out syncedFile
	removed, err := s.Purge(context.Background(), before, &out)
	require.NoError(t, err)
	assert.Equal(t, 278, removed)
	assert.Equal(t, out.Len(), out.synced, "synced before anything was removed")

	lines := decodeLines[pair](t, out.Bytes())
	require.Len(t, lines, removed)
	assert.Equal(t, pair{made(aJob(1)), aReceipt()}, lines[1])
	for i := range n {
		_, err := s.Job(jobID(i))
		_, errR := s.Receipt(jobID(i))
		if i == 5 || i >= 279 {
			require.NoError(t, errors.Join(err, errR), "job %d", i)
			continue
		}
		require.ErrorIs(t, err, store.ErrNotFound)
		require.ErrorIs(t, errR, store.ErrNotFound)
	}
	due, err := s.DueDeliveries(epoch.Add(time.Hour), 1000)
	require.NoError(t, err)
	assert.Len(t, due, 10, "deliveries go with their jobs")
	accept(t, s, aJob(0)) // its external id is free again

	removed, err = s.Purge(context.Background(), before, &out)
	require.NoError(t, err)
	assert.Zero(t, removed)
	removed, err = s.Purge(context.Background(), time.Time{}, nil)
	require.NoError(t, err)
	assert.Zero(t, removed)
	removed, err = s.Purge(context.Background(), before.Add(time.Hour), nil)
	require.NoError(t, err)
	assert.Equal(t, 21, removed, "without an export")
}

// Nothing is removed that is not safely exported.
func TestPurgeNeedsItsExport(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	finish(t, s, aJob(1))
	before := epoch.Add(time.Hour)
	_, err := s.Purge(context.Background(), before, brokenPipe{})
	require.ErrorContains(t, err, "nothing more was removed")
	_, err = s.Purge(context.Background(), before, &syncedFile{fail: errors.New("disk full")})
	require.ErrorContains(t, err, "disk full")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Purge(ctx, before, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = s.Job(jobID(1))
	require.NoError(t, err)
}

func TestExport(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	const n = 600 // more than two batches
	fill(t, s, n, nil)
	var out bytes.Buffer
	count, err := s.Export(context.Background(), &out, aJob(10).CreatedAt, aJob(590).CreatedAt)
	require.NoError(t, err)
	assert.Equal(t, 580, count)
	jobs := decodeLines[fiscal.Job](t, out.Bytes())
	require.Len(t, jobs, count)
	assert.Equal(t, aJob(10), jobs[0])
	assert.Equal(t, jobID(589), jobs[count-1].ID)

	count, err = s.Export(context.Background(), &out, time.Time{}, time.Time{})
	require.NoError(t, err)
	assert.Equal(t, n, count, "without bounds")
	_, err = s.Export(context.Background(), brokenPipe{}, time.Time{}, time.Time{})
	require.ErrorContains(t, err, "export:")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = s.Export(ctx, &out, time.Time{}, time.Time{})
	require.ErrorIs(t, err, context.Canceled)
}
