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
