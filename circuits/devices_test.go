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

func TestActivate(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	added := b.add(eip, "1")
	identity := b.rack.answer(eip, "1")
	want := added
	want.Active, want.Identity, want.ActivatedAt = true, &identity, noon
	assert.Equal(t, want, b.activate(eip))
	on, ok := b.stored(eip)
	require.True(t, ok)
	assert.Equal(t, want, on)
	assert.True(t, b.rack.works(eip))
	assert.Equal(t, want, b.rack.working[eip])

	again, ignored, err := b.Activate(ctx, by, eip, true, "")
	require.NoError(t, err)
	assert.Empty(t, ignored)
	assert.Equal(t, want, again)
	assert.Equal(t, 1, b.rack.count("inspect "+string(eip)), "an active device is left alone")
	assert.Equal(t, []string{"circuit.create 5190114620-3", "device.add " + string(eip), "device.activate " + string(eip)}, b.log())

	_, _, err = b.Activate(ctx, by, "10.9.9.9:1", false, "")
	refused(t, err, fiscal.ClassNotFound, "device_not_found")
}

func TestActivateIsRefused(t *testing.T) {
	t.Parallel()
	wrong := func(i *fiscal.Identity) { i.INN = "7707083893" }
	for _, c := range []struct {
		name    string
		change  func(*fiscal.Identity)
		err     error
		refuse  bool // RefuseTestFN
		class   fiscal.Class
		code    string
		says    string
		ignored []string // with force; nil: force does not help
	}{
		{"other taxpayer", wrong, nil, false, fiscal.ClassConflict, "activation_refused", "7707083893", []string{"wrong_inn"}},
		{"phase", nil, &circuits.PhaseError{Phase: fiscal.PhasePostFiscal}, false, fiscal.ClassConflict, "activation_refused", "phase 7", []string{"fn_phase"}},
		{"phase and no registration", func(i *fiscal.Identity) { i.RNM = "" }, fmt.Errorf("x: %w", &circuits.PhaseError{Phase: fiscal.PhaseReady}), false,
			fiscal.ClassConflict, "activation_refused", "registered with the tax service", []string{"fn_phase"}},
		{"two reasons", func(i *fiscal.Identity) { wrong(i); i.FN = "9999078900001111" }, nil, true, fiscal.ClassConflict, "activation_refused", "debug", []string{"wrong_inn", "test_fn_refused"}},
		{"serial works elsewhere", func(i *fiscal.Identity) { i.Serial = "2" }, nil, false, fiscal.ClassConflict, "device_serial_in_use", "10.0.0.2:7777", nil},
		{"serial and more", func(i *fiscal.Identity) { i.Serial = "2"; wrong(i) }, nil, false, fiscal.ClassConflict, "device_serial_in_use", "10.0.0.2:7777", nil},
		{"unreachable", nil, errors.New("connection refused"), false, fiscal.ClassUnreachable, "device_unreachable", "connection refused", nil},
		{"other protocol", nil, fmt.Errorf("%w: it speaks shtrihm", fiscal.ErrOtherFamily), false, fiscal.ClassConflict, "activation_refused", "it speaks shtrihm", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, ctx := newBundle(t), context.Background()
			b.options.RefuseTestFN = c.refuse
			b.Registry = circuits.NewRegistry(b.store, b.rack, b.options)
			b.add("10.0.0.2:7777", "2")
			b.activate("10.0.0.2:7777")
			was := b.add(eip, "1")
			identity := b.rack.answer(eip, "1")
			if c.change != nil {
				c.change(&identity)
			}
			b.rack.answers[eip], b.rack.errs[eip] = identity, c.err

			m, _, err := b.Activate(ctx, by, eip, false, "try")
			u := refused(t, err, c.class, c.code)
			assert.Contains(t, u.Message, c.says)
			if c.class == fiscal.ClassConflict {
				assert.NotEmpty(t, u.Details["reasons"])
			}
			assert.Zero(t, m)
			now, err := b.Member(eip)
			require.NoError(t, err)
			assert.Equal(t, was, now)
			on, _ := b.stored(eip)
			assert.Equal(t, was, on, "nothing switched")
			assert.False(t, b.rack.works(eip))
			assert.NotContains(t, b.log(), "device.activate "+string(eip))

			m, ignored, err := b.Activate(ctx, by, eip, true, "we know")
			assert.Equal(t, c.ignored, ignored)
			if c.ignored == nil {
				refused(t, err, c.class, c.code)
				assert.False(t, b.rack.works(eip))
				return
			}
			require.NoError(t, err)
			assert.True(t, m.Active)
			assert.Equal(t, c.ignored, m.Ignored)
			assert.True(t, b.rack.works(eip))
			entries, _, err := b.db.Audit(0, 100)
			require.NoError(t, err)
			last := entries[len(entries)-1]
			assert.Equal(t, "we know", last.Reason)
			assert.Contains(t, last.Detail, c.ignored[0])
		})
	}
}

func TestFamilyIsKeptOnceFound(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	_, err := b.AddDevice(ctx, by, b.circuit.ID, "pkfa12", string(eip))
	require.NoError(t, err)
	b.rack.answer(eip, "1")
	assert.Equal(t, "terminalfa", b.activate(eip).Family)
	_, _, err = b.Deactivate(ctx, by, eip, true, "")
	require.NoError(t, err)
	other := b.rack.answer(eip, "1")
	other.Family = "shtrihm"
	b.rack.answers[eip] = other
	_, _, err = b.Activate(ctx, by, eip, false, "")
	refused(t, err, fiscal.ClassConflict, "activation_refused")
}

func TestActivateStoreAndRackFailures(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	was := b.add(eip, "1")
	b.store.set("update", errDisk)
	_, _, err := b.Activate(ctx, by, eip, false, "")
	refused(t, err, fiscal.ClassUnavailable, "store_failed")
	assert.False(t, b.rack.works(eip), "nothing is told before it is on disk")
	b.store.set("update", nil)

	b.rack.enrolErr = errors.New("unknown family")
	_, _, err = b.Activate(ctx, by, eip, false, "")
	refused(t, err, fiscal.ClassUnavailable, "enrol_failed")
	now, err := b.Member(eip)
	require.NoError(t, err)
	assert.Equal(t, was, now)
	on, _ := b.stored(eip)
	assert.Equal(t, was, on, "the record is put back")

	b.store.set("update 2", errDisk)
	_, _, err = b.Activate(ctx, by, eip, false, "")
	u := refused(t, err, fiscal.ClassUnavailable, "enrol_failed")
	assert.Contains(t, u.Message, "the next start will try the device again")
	assert.Equal(t, []string{"circuit.create 5190114620-3", "device.add " + string(eip)}, b.log())
}

// While one device is being inspected, the others can be worked on, and nobody else can touch this one.
func TestInspectHoldsUpOnlyItsOwnDevice(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	b.add(eip, "1")
	b.add("10.0.0.2:7777", "2")
	inside, leave := make(chan struct{}), make(chan struct{})
	b.rack.onInspect = func(_ context.Context, id fiscal.DeviceID) {
		if id == eip {
			close(inside)
			<-leave
		}
	}
	first := make(chan error, 1)
	go func() { _, _, err := b.Activate(ctx, by, eip, false, ""); first <- err }()
	<-inside

	b.activate("10.0.0.2:7777")
	_, _, err := b.Deactivate(ctx, by, "10.0.0.2:7777", true, "")
	require.NoError(t, err)
	require.NoError(t, b.RemoveDevice(ctx, by, "10.0.0.2:7777"))
	_, err = b.CreateCircuit(ctx, by, "7707083893", "t", "")
	require.NoError(t, err)

	second := make(chan error, 2)
	go func() { _, _, err := b.Activate(ctx, by, eip, false, ""); second <- err }()
	go func() { _, err := b.AddDevice(ctx, by, b.circuit.ID, "terminalfa", string(eip)); second <- err }()
	refused(t, <-second, fiscal.ClassConflict, "device_in_circuit")
	short, cancel := context.WithCancel(ctx)
	removed := make(chan error, 1)
	go func() { removed <- b.RemoveDevice(short, by, eip) }()
	cancel()
	refused(t, <-removed, fiscal.ClassUnavailable, "gave_up")

	close(leave)
	require.NoError(t, <-first)
	require.NoError(t, <-second)
	assert.Equal(t, 1, b.rack.count("inspect "+string(eip)), "the second found it active")
}

// Two eips of one register, activated at once: exactly one works.
func TestOneRegisterUnderTwoAddressesAtOnce(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	ids := []fiscal.DeviceID{"10.0.0.1:7777", "10.0.0.2:7777", "10.0.0.3:7777"}
	for _, id := range ids {
		b.add(id, "the same")
	}
	var all sync.WaitGroup
	all.Add(len(ids))
	b.rack.onInspect = func(context.Context, fiscal.DeviceID) { all.Done(); all.Wait() }
	errs := make(chan error, len(ids))
	for _, id := range ids {
		go func() { _, _, err := b.Activate(ctx, by, id, true, ""); errs <- err }()
	}
	won := 0
	for range ids {
		if err := <-errs; err == nil {
			won++
		} else {
			refused(t, err, fiscal.ClassConflict, "device_serial_in_use")
		}
	}
	assert.Equal(t, 1, won)
	assert.Len(t, b.rack.working, 1)
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
