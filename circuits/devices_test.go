package circuits_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/circuits"
	"frpoold/fiscal"
)

func TestAddDevice(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	m, err := b.AddDevice(ctx, by, b.circuit.ID, "pkfa12", "KKT1:07777")
	require.NoError(t, err)
	assert.Equal(t, circuits.Member{ID: "kkt1:7777", Circuit: b.circuit.ID, Type: "pkfa12", Family: "auto", AddedAt: noon}, m)
	_, err = b.AddDevice(ctx, by, b.circuit.ID, "terminalfa", "serial:/dev/ttyUSB0?baud=115200")
	require.NoError(t, err)
	assert.Empty(t, b.rack.calls, "nothing is connected")

	other, err := b.CreateCircuit(ctx, by, "7707083893", "t", "")
	require.NoError(t, err)
	for _, same := range []string{"kkt1:7777", "KKT1:7777", "serial:/dev/ttyUSB0", "serial:/dev/./ttyUSB0?baud=9600"} {
		_, err = b.AddDevice(ctx, by, other.ID, "terminalfa", same)
		u := refused(t, err, fiscal.ClassConflict, "device_in_circuit")
		assert.Equal(t, "5190114620-3", u.Details["inn"], same)
		assert.Contains(t, u.Message, "5190114620-3")
	}
	_, err = b.AddDevice(ctx, by, b.circuit.ID, "abacus", "10.0.0.7:1")
	u := refused(t, err, fiscal.ClassMalformed, "unknown_type")
	assert.Equal(t, []string{"pkfa12", "shtrihm", "terminalfa"}, u.Details["known"])
	_, err = b.AddDevice(ctx, by, b.circuit.ID, "terminalfa", "10.0.0.7")
	refused(t, err, fiscal.ClassMalformed, "malformed_eip")
	_, err = b.AddDevice(ctx, by, 99, "terminalfa", "10.0.0.7:1")
	refused(t, err, fiscal.ClassNotFound, "circuit_not_found")
	b.store.set("create", errDisk)
	_, err = b.AddDevice(ctx, by, b.circuit.ID, "terminalfa", "10.0.0.7:1")
	refused(t, err, fiscal.ClassUnavailable, "store_failed")
	_, err = b.Member("10.0.0.7:1")
	refused(t, err, fiscal.ClassNotFound, "device_not_found")
	got, err := b.Member("KKT1:7777")
	require.NoError(t, err, "another spelling of the same eip")
	assert.Equal(t, m, got)
	_, err = b.Member("no eip")
	refused(t, err, fiscal.ClassNotFound, "device_not_found")
}

func TestDeactivate(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	b.add(eip, "1")
	m, drained, err := b.Deactivate(ctx, by, eip, true, "")
	require.NoError(t, err)
	assert.True(t, drained, "it is inactive already")
	assert.False(t, m.Active)
	b.activate(eip)

	b.rack.onWithdraw = func(context.Context, fiscal.DeviceID) {
		on, _ := b.stored(eip)
		assert.False(t, on.Active, "on disk before the rack is told")
	}
	m, drained, err = b.Deactivate(ctx, by, eip, true, "paper")
	require.NoError(t, err)
	assert.True(t, drained)
	assert.False(t, m.Active)
	assert.NotNil(t, m.Identity, "who it was stays known")
	assert.False(t, b.rack.works(eip))
	assert.Equal(t, []string{
		"circuit.create 5190114620-3", "device.add " + string(eip), "device.activate " + string(eip), "device.deactivate " + string(eip),
	}, b.log())
	_, _, err = b.Deactivate(ctx, by, "10.9.9.9:1", true, "")
	refused(t, err, fiscal.ClassNotFound, "device_not_found")

	b.rack.onWithdraw = nil
	b.activate(eip)
	b.store.set("update", errDisk)
	_, _, err = b.Deactivate(ctx, by, eip, true, "")
	refused(t, err, fiscal.ClassUnavailable, "store_failed")
	assert.True(t, b.rack.works(eip), "nothing switched")
	b.store.set("update", nil)
	b.rack.stopErr = errors.New("worker stuck")
	m, drained, err = b.Deactivate(ctx, by, eip, true, "")
	refused(t, err, fiscal.ClassUnavailable, "drain_failed")
	assert.False(t, drained)
	assert.False(t, m.Active)
	log := b.log()
	assert.Equal(t, "device.drain_failed "+string(eip), log[len(log)-1], "for those who did not wait")
}

// draining is a bundle whose device was told to stop and still works; leave lets it finish.
func draining(t *testing.T) (b *bundle, leave chan struct{}) {
	t.Helper()
	b = newBundle(t)
	b.add(eip, "1")
	b.activate(eip)
	inside, leave := make(chan struct{}), make(chan struct{})
	b.rack.onWithdraw = func(ctx context.Context, _ fiscal.DeviceID) {
		close(inside)
		<-leave
		assert.NoError(t, ctx.Err(), "the request's end does not end the drain")
	}
	ctx, cancel := context.WithCancel(context.Background())
	m, drained, err := b.Deactivate(ctx, by, eip, false, "")
	cancel()
	require.NoError(t, err)
	assert.False(t, drained)
	assert.False(t, m.Active)
	<-inside
	return b, leave
}

func TestDeactivateWithoutWaiting(t *testing.T) {
	t.Parallel()
	b, leave := draining(t)
	ctx := context.Background()
	_, drained, err := b.Deactivate(ctx, by, eip, false, "")
	require.NoError(t, err, "again, while it drains")
	assert.False(t, drained)
	short, cancel := context.WithCancel(ctx)
	waiting := make(chan bool, 1)
	go func() {
		_, drained, err := b.Deactivate(short, by, eip, true, "")
		assert.True(t, err == nil || short.Err() != nil)
		waiting <- drained
	}()
	cancel()
	assert.False(t, <-waiting, "whoever stops waiting is not told that it is done")

	joined := make(chan bool, 1)
	go func() {
		_, drained, err := b.Deactivate(ctx, by, eip, true, "")
		assert.NoError(t, err)
		joined <- drained
	}()
	close(leave)
	assert.True(t, <-joined)
	b.Wait()
	assert.Equal(t, 1, b.rack.count("withdraw "+string(eip)))
	_, drained, err = b.Deactivate(ctx, by, eip, false, "")
	require.NoError(t, err)
	assert.True(t, drained)
}

func TestActivateWaitsForTheDrain(t *testing.T) {
	t.Parallel()
	b, leave := draining(t)
	short, cancel := context.WithCancel(context.Background())
	gaveUp := make(chan error, 1)
	go func() { _, _, err := b.Activate(short, by, eip, false, ""); gaveUp <- err }()
	cancel()
	require.Error(t, <-gaveUp)
	back := make(chan error, 1)
	go func() { _, _, err := b.Activate(context.Background(), by, eip, false, ""); back <- err }()
	close(leave)
	require.NoError(t, <-back) // the rack asserts that nobody inspects a line in use
	assert.True(t, b.rack.works(eip))
}

// A register that still finishes its last job under one eip is in use for another.
func TestDrainingRegisterIsInUse(t *testing.T) {
	t.Parallel()
	b, leave := draining(t)
	b.add("10.0.0.2:7777", "1")
	_, _, err := b.Activate(context.Background(), by, "10.0.0.2:7777", true, "")
	refused(t, err, fiscal.ClassConflict, "device_serial_in_use")
	close(leave)
	b.Wait()
	b.activate("10.0.0.2:7777")
}

func TestRemoveDevice(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	b.add(eip, "1")
	require.NoError(t, b.RemoveDevice(ctx, by, eip))
	refused(t, b.RemoveDevice(ctx, by, eip), fiscal.ClassNotFound, "device_not_found")
	b.add(eip, "1")
	b.activate(eip)

	b.rack.holds[eip] = "J000000000000042"
	u := refused(t, b.RemoveDevice(ctx, by, eip), fiscal.ClassConflict, "device_in_doubt")
	assert.Equal(t, fiscal.JobID("J000000000000042"), u.Details["job"])
	assert.Contains(t, u.Message, "J000000000000042")
	assert.True(t, b.rack.works(eip), "nothing switched")
	delete(b.rack.holds, eip)

	b.store.set("delete", errDisk)
	refused(t, b.RemoveDevice(ctx, by, eip), fiscal.ClassUnavailable, "store_failed")
	m, err := b.Member(eip)
	require.NoError(t, err)
	assert.False(t, m.Active)
	b.store.set("delete", nil)
	require.NoError(t, b.RemoveDevice(ctx, by, eip))
	_, ok := b.stored(eip)
	assert.False(t, ok)
	_, err = b.Member(eip)
	refused(t, err, fiscal.ClassNotFound, "device_not_found")
	log := b.log()
	assert.Equal(t, []string{"device.deactivate " + string(eip), "device.remove " + string(eip)}, log[len(log)-2:])
}

// The last job falls in doubt while the device drains: it stays, switched off, with its evidence.
func TestRemoveDeviceWhoseLastJobFellInDoubt(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	b.add(eip, "1")
	b.activate(eip)
	b.rack.onWithdraw = func(context.Context, fiscal.DeviceID) {
		b.rack.mu.Lock()
		defer b.rack.mu.Unlock()
		b.rack.holds[eip] = "J000000000000042"
	}
	refused(t, b.RemoveDevice(ctx, by, eip), fiscal.ClassConflict, "device_in_doubt")
	m, ok := b.stored(eip)
	require.True(t, ok)
	assert.False(t, m.Active)
}

func TestRemoveDeviceDuringDrain(t *testing.T) {
	t.Parallel()
	b, leave := draining(t)
	removed := make(chan error, 1)
	go func() { removed <- b.RemoveDevice(context.Background(), by, eip) }()
	close(leave)
	require.NoError(t, <-removed)
	assert.Equal(t, 1, b.rack.count("withdraw "+string(eip)))

	b.add(eip, "1")
	b.activate(eip)
	b.rack.onWithdraw, b.rack.stopErr = nil, errors.New("worker stuck")
	refused(t, b.RemoveDevice(context.Background(), by, eip), fiscal.ClassUnavailable, "drain_failed")
}

func TestRemoveDeviceThatDoesNotDrainInTime(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.add(eip, "1")
	b.activate(eip)
	ctx, cancel := context.WithCancel(context.Background())
	leave := make(chan struct{})
	b.rack.onWithdraw = func(context.Context, fiscal.DeviceID) { cancel(); <-leave }
	refused(t, b.RemoveDevice(ctx, by, eip), fiscal.ClassConflict, "device_draining")
	_, ok := b.stored(eip)
	assert.True(t, ok)
	close(leave)
}

// Everything at once on few devices, under the race detector; the rack asserts its contract, and memory, disk and rack
// agree in the end.
func TestManyOperatorsAtOnce(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	ids := []fiscal.DeviceID{"10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1"}
	for i, id := range ids {
		b.add(id, fmt.Sprint(i))
	}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for k := range 25 {
				id := ids[(w+k)%len(ids)]
				var err error
				switch (w*7 + k) % 6 {
				case 0, 1:
					_, _, err = b.Activate(ctx, by, id, false, "")
				case 2:
					_, _, err = b.Deactivate(ctx, by, id, true, "")
				case 3:
					_, _, err = b.Deactivate(ctx, by, id, false, "")
				case 4:
					err = b.RemoveDevice(ctx, by, id)
				default:
					_, err = b.AddDevice(ctx, by, b.circuit.ID, "terminalfa", string(id))
				}
				if u := (*fiscal.UserError)(nil); err != nil && assert.ErrorAs(t, err, &u) {
					assert.Contains(t, []string{"device_not_found", "device_in_circuit"}, u.Code)
				}
				b.CircuitViews()
			}
		})
	}
	wg.Wait()
	b.Wait()
	onDisk, err := b.db.Members()
	require.NoError(t, err)
	assert.Equal(t, b.Members(), onDisk)
	for _, m := range onDisk {
		assert.Equal(t, m.Active, b.rack.works(m.ID), m.ID)
	}
	for id := range b.rack.working {
		_, ok := b.stored(id)
		assert.True(t, ok, "nobody works who was removed")
	}
}
