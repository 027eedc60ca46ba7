package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/store"
	"frpoold/store/storetest"
)

func atEpoch(o *store.Options) { o.Now = func() time.Time { return epoch } }

func finishWithCallback(t testing.TB, s *store.Store, j fiscal.Job) {
	t.Helper()
	j.CallbackURL = "https://shop.example/fiscal"
	finish(t, s, j)
}

func TestFinalMovesFillTheOutbox(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, atEpoch)
	finish(t, s, aJob(1))
	finishWithCallback(t, s, aJob(2))
	for i, state := range []fiscal.JobState{fiscal.JobRefused, fiscal.JobCanceled, fiscal.JobExpired} {
		j := aJob(3 + i)
		j.CallbackURL = "https://shop.example/fiscal"
		accept(t, s, j)
		require.NoError(t, <-s.Advance(fiscal.JobQueued, withState(j, state)))
	}
	waiting := aJob(6)
	waiting.CallbackURL = "https://shop.example/fiscal"
	accept(t, s, waiting)
	require.NoError(t, <-s.Advance(fiscal.JobQueued, withState(waiting, fiscal.JobOperator)))

	due, err := s.DueDeliveries(epoch, 100)
	require.NoError(t, err)
	require.Len(t, due, 4, "final, and with a callback")
	assert.Equal(t, fiscal.Delivery{
		ID: 1, Job: jobID(2), Integration: 7, URL: "https://shop.example/fiscal", CreatedAt: epoch, NextTry: epoch,
	}, due[0])
	of, err := s.Deliveries(jobID(2))
	require.NoError(t, err)
	assert.Equal(t, due[:1], of)
	none, err := s.Deliveries(jobID(1))
	require.NoError(t, err)
	assert.Empty(t, none)
}

// A move that is turned down leaves nothing in the outbox.
func TestNoDeliveryWithoutItsMove(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, atEpoch)
	j := aJob(1)
	j.CallbackURL = "https://shop.example/fiscal"
	accept(t, s, j)
	first, second := s.Advance(fiscal.JobQueued, withState(j, fiscal.JobCanceled)), s.Advance(fiscal.JobQueued, withState(j, fiscal.JobExpired))
	require.NoError(t, <-first)
	var state *store.StateError
	require.ErrorAs(t, <-second, &state)
	require.Error(t, <-s.Advance(fiscal.JobSending, made(j)))
	due, err := s.DueDeliveries(epoch.Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Len(t, due, 1)
}

func TestDeliveryLife(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, atEpoch)
	for i := range 4 {
		finishWithCallback(t, s, aJob(i))
	}
	due, err := s.DueDeliveries(epoch, 2)
	require.NoError(t, err)
	require.Len(t, due, 2, "the limit")
	for _, limit := range []int{0, -1} {
		none, err := s.DueDeliveries(epoch, limit)
		require.NoError(t, err)
		assert.Empty(t, none)
	}

	later := due[0]
	later.Tries, later.NextTry, later.LastError = 1, epoch.Add(time.Minute), "connection refused"
	require.NoError(t, s.UpdateDelivery(later))
	given := due[1]
	given.Tries, given.NextTry = 9, time.Time{}
	require.NoError(t, s.UpdateDelivery(given))
	due, err = s.DueDeliveries(epoch.Add(time.Minute-1), 100)
	require.NoError(t, err)
	assert.Equal(t, []uint64{3, 4}, deliveryIDs(due))
	due, err = s.DueDeliveries(epoch.Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Equal(t, []uint64{3, 4, 1}, deliveryIDs(due), "the longest due first, the given up one never")
	assert.Equal(t, later, due[2])
	seen, err := s.Deliveries(given.Job)
	require.NoError(t, err)
	assert.Equal(t, []fiscal.Delivery{given}, seen, "a given up one can still be seen")

	given.NextTry = epoch
	require.NoError(t, s.UpdateDelivery(given), "and be tried again")
	require.NoError(t, s.RemoveDelivery(1))
	require.NoError(t, s.RemoveDelivery(1), "gone is gone")
	require.ErrorIs(t, s.UpdateDelivery(later), store.ErrNotFound)
	stolen := given
	stolen.Job = jobID(3)
	require.Error(t, s.UpdateDelivery(stolen))
	due, err = s.DueDeliveries(epoch.Add(time.Hour), 100)
	require.NoError(t, err)
	assert.Equal(t, []uint64{2, 3, 4}, deliveryIDs(due))
}

func deliveryIDs(ds []fiscal.Delivery) []uint64 {
	var ids []uint64
	for _, d := range ds {
		ids = append(ids, d.ID)
	}
	return ids
}

func TestAudit(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, atEpoch)
	none, next, err := s.Audit(0, 10)
	require.NoError(t, err)
	assert.Empty(t, none)
	assert.Zero(t, next)
	for i := range 5 {
		require.NoError(t, s.AppendAudit(fiscal.AuditEntry{Actor: "local", Action: "device.activate", Target: fmt.Sprint(i), Reason: "new FN"}))
	}
	page, next, err := s.Audit(0, 3)
	require.NoError(t, err)
	require.Len(t, page, 3)
	assert.Equal(t, fiscal.AuditEntry{Seq: 1, At: epoch, Actor: "local", Action: "device.activate", Target: "0", Reason: "new FN"}, page[0])
	assert.Equal(t, uint64(3), next)
	page, next, err = s.Audit(next, 3)
	require.NoError(t, err)
	assert.Len(t, page, 2)
	assert.Zero(t, next, "the end")
	page, next, err = s.Audit(2, 3)
	require.NoError(t, err)
	assert.Len(t, page, 3)
	assert.Zero(t, next, "exactly up to the end")
}

func TestShifts(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	_, err := s.Shift("7381440800357213")
	require.ErrorIs(t, err, store.ErrNotFound)
	first := fiscal.ShiftState{Open: true, Number: 12, Receipt: 3, OpenedAt: deviceTime()}
	require.NoError(t, s.SaveShift("7381440800357213", first))
	require.NoError(t, s.SaveShift("9999078900001111", fiscal.ShiftState{Number: 1}))
	got, err := s.Shift("7381440800357213")
	require.NoError(t, err)
	assert.Equal(t, first, got)
	require.NoError(t, s.SaveShift("7381440800357213", fiscal.ShiftState{Number: 13}))
	got, err = s.Shift("7381440800357213")
	require.NoError(t, err)
	assert.Equal(t, fiscal.ShiftState{Number: 13}, got)
}
