package circuits_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/circuits"
	"frpoold/fiscal"
)

func TestCreateCircuit(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	assert.Equal(t, circuits.Circuit{ID: 1, Identifier: "5190114620-3", Title: "ООО АлиТест2", Zone: "Europe/Moscow", CreatedAt: noon}, b.circuit)
	second, err := b.CreateCircuit(ctx, by, "5190114620", "Главный", "Asia/Vladivostok")
	require.NoError(t, err)
	assert.Equal(t, "Asia/Vladivostok", second.Zone)

	_, err = b.CreateCircuit(ctx, by, "5190114620", "Again", "")
	u := refused(t, err, fiscal.ClassConflict, "circuit_exists")
	assert.Equal(t, second.ID, u.Details["id"])

	_, err = b.CreateCircuit(ctx, by, "5190114621", "", "Mars/Olympus")
	u = refused(t, err, fiscal.ClassContent, "invalid_circuit")
	errs, _ := u.Details["errors"].([]fiscal.ContentError)
	var paths []string
	for _, e := range errs {
		paths = append(paths, e.Path+" "+e.Code)
	}
	assert.Equal(t, []string{"inn inn_invalid", "title title_length", "timezone timezone_unknown"}, paths, "all at once")
	_, err = b.CreateCircuit(ctx, by, "x", "t", "Local")
	refused(t, err, fiscal.ClassContent, "invalid_circuit")
	_, err = b.CreateCircuit(ctx, by, "x", "t", "UTC")
	assert.Contains(t, refused(t, err, fiscal.ClassContent, "invalid_circuit").Message, `"x"`, "a single fault is told in the message")

	b.store.set("create", errDisk)
	_, err = b.CreateCircuit(ctx, by, "7707083893", "t", "")
	refused(t, err, fiscal.ClassUnavailable, "store_failed")
	b.store.set("create", nil)
	_, err = b.CircuitView("7707083893")
	refused(t, err, fiscal.ClassNotFound, "circuit_not_found")
	assert.Equal(t, []string{"circuit.create 5190114620-3", "circuit.create 5190114620"}, b.log())

	got, err := b.Circuit(second.ID)
	require.NoError(t, err)
	assert.Equal(t, second, got)
	_, err = b.Circuit(99)
	refused(t, err, fiscal.ClassNotFound, "circuit_not_found")
}

func TestViews(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	second, err := b.CreateCircuit(ctx, by, "7707083893", "Второй", "")
	require.NoError(t, err)
	one, two := b.add("10.0.0.9:7777", "9"), b.add("10.0.0.1:7777", "1")
	g, err := b.AddIntegration(ctx, by, second.ID, "paykeeper", "shop", "secret")
	require.NoError(t, err)

	views := b.CircuitViews()
	require.Len(t, views, 2)
	assert.Equal(t, circuits.CircuitView{Circuit: b.circuit, Frs: []circuits.Member{two, one}}, views[0], "added at one moment: by eip")
	assert.Equal(t, circuits.CircuitView{Circuit: second, Integrations: []circuits.Integration{g}}, views[1])
	v, err := b.CircuitView("5190114620-3")
	require.NoError(t, err)
	assert.Equal(t, views[0], v)
	for _, id := range []string{"5190114620", "", "5190114620-4"} {
		_, err = b.CircuitView(id)
		refused(t, err, fiscal.ClassNotFound, "circuit_not_found")
	}
	assert.Equal(t, []circuits.Member{two, one}, b.Members())
}

// Whatever was changed is there after a restart, and active devices go back to work.
func TestRestart(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	vladivostok, err := b.CreateCircuit(ctx, by, "5190114620", "t", "Asia/Vladivostok")
	require.NoError(t, err)
	b.add(eip, "1")
	b.add("10.0.0.2:7777", "2")
	_, err = b.AddDevice(ctx, by, vladivostok.ID, "pkfa12", "10.0.0.3:7777")
	require.NoError(t, err)
	b.rack.answer("10.0.0.3:7777", "3")
	b.activate(eip)
	b.activate("10.0.0.3:7777")
	g, err := b.AddIntegration(ctx, by, b.circuit.ID, "native", "shop", "secret")
	require.NoError(t, err)
	g, err = b.SetIntegrationActive(ctx, by, g.ID, true, "")
	require.NoError(t, err)

	r := newRack(t)
	again := circuits.NewRegistry(b.store, r, b.options)
	require.NoError(t, again.Start(ctx))
	assert.Equal(t, b.CircuitViews(), again.CircuitViews())
	assert.True(t, r.works(eip))
	assert.False(t, r.works("10.0.0.2:7777"))
	assert.Equal(t, "Europe/Moscow", r.zones[eip])
	assert.Equal(t, "Asia/Vladivostok", r.zones["10.0.0.3:7777"])
	got, err := again.Integration(g.ID)
	require.NoError(t, err)
	assert.Equal(t, g, got)
}

func TestStartGoesOnOverBadDevices(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	b.add(eip, "1")
	b.activate(eip)
	lost := circuits.Member{ID: "10.0.0.9:1", Circuit: 99, Active: true}
	require.NoError(t, b.db.CreateMember(lost))
	badZone, err := b.db.CreateCircuit(circuits.Circuit{Identifier: "7707083893", Zone: "Local"})
	require.NoError(t, err)
	require.NoError(t, b.db.CreateMember(circuits.Member{ID: "10.0.0.8:1", Circuit: badZone.ID, Active: true}))

	r := newRack(t)
	again := circuits.NewRegistry(b.store, r, b.options)
	var failed *circuits.EnrolError
	require.ErrorAs(t, again.Start(ctx), &failed)
	assert.Len(t, failed.Failed, 2)
	assert.ErrorContains(t, failed, "10.0.0.8:1: time zone")
	assert.ErrorContains(t, failed, "10.0.0.9:1: its circuit 99 does not exist")
	assert.True(t, r.works(eip))

	ended, cancel := context.WithCancel(ctx)
	cancel()
	require.ErrorIs(t, circuits.NewRegistry(b.store, newRack(t), b.options).Start(ended), context.Canceled)
}

func TestUnreadableStore(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	b.store.set("read", errDisk)
	r := circuits.NewRegistry(b.store, b.rack, b.options)
	require.ErrorIs(t, r.Start(ctx), errDisk)
	assert.Empty(t, r.CircuitViews())
	assert.Empty(t, r.Members())
	_, err := r.CreateCircuit(ctx, by, "7707083893", "t", "")
	refused(t, err, fiscal.ClassUnavailable, "store_failed")
	b.store.set("read", nil)
	assert.Len(t, r.CircuitViews(), 1, "it is read as soon as it can be")
}

func TestIntegrations(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	_, err := b.AddIntegration(ctx, by, b.circuit.ID, "telepathy", "a", "b")
	u := refused(t, err, fiscal.ClassMalformed, "unknown_type")
	assert.Equal(t, []string{"native", "paykeeper"}, u.Details["known"])
	assert.Contains(t, u.Message, "native, paykeeper")
	_, err = b.AddIntegration(ctx, by, b.circuit.ID, "native", "", "")
	u = refused(t, err, fiscal.ClassContent, "invalid_integration")
	assert.Len(t, u.Details["errors"], 2)
	_, err = b.AddIntegration(ctx, by, 99, "native", "shop", "secret")
	refused(t, err, fiscal.ClassNotFound, "circuit_not_found")

	g, err := b.AddIntegration(ctx, by, b.circuit.ID, "native", "shop", "secret")
	require.NoError(t, err)
	assert.Equal(t, circuits.Integration{ID: 1, Circuit: b.circuit.ID, Type: "native", Param1: "shop", Param2: "secret", CreatedAt: noon}, g)
	other, err := b.CreateCircuit(ctx, by, "7707083893", "t", "")
	require.NoError(t, err)
	_, err = b.AddIntegration(ctx, by, other.ID, "native", "shop", "another secret")
	u = refused(t, err, fiscal.ClassConflict, "integration_exists")
	assert.Equal(t, g.ID, u.Details["id"])
	_, err = b.AddIntegration(ctx, by, other.ID, "paykeeper", "shop", "secret")
	require.NoError(t, err, "of another type")

	on, err := b.SetIntegrationActive(ctx, by, g.ID, true, "go live")
	require.NoError(t, err)
	assert.True(t, on.Active)
	_, err = b.SetIntegrationActive(ctx, by, g.ID, true, "")
	require.NoError(t, err)
	off, err := b.SetIntegrationActive(ctx, by, g.ID, false, "")
	require.NoError(t, err)
	assert.Equal(t, g, off)

	b.store.set("update", errDisk)
	_, err = b.SetIntegrationActive(ctx, by, g.ID, true, "")
	refused(t, err, fiscal.ClassUnavailable, "store_failed")
	b.store.set("delete", errDisk)
	refused(t, b.RemoveIntegration(ctx, by, g.ID), fiscal.ClassUnavailable, "store_failed")
	got, err := b.Integration(g.ID)
	require.NoError(t, err)
	assert.False(t, got.Active)
	b.store.set("delete", nil)

	require.NoError(t, b.RemoveIntegration(ctx, by, g.ID))
	_, err = b.Integration(g.ID)
	refused(t, err, fiscal.ClassNotFound, "integration_not_found")
	refused(t, b.RemoveIntegration(ctx, by, g.ID), fiscal.ClassNotFound, "integration_not_found")
	_, err = b.SetIntegrationActive(ctx, by, g.ID, true, "")
	refused(t, err, fiscal.ClassNotFound, "integration_not_found")
	all, err := b.db.Integrations()
	require.NoError(t, err)
	assert.Len(t, all, 1)

	b.store.set("create", errDisk)
	_, err = b.AddIntegration(ctx, by, b.circuit.ID, "native", "shop", "secret")
	refused(t, err, fiscal.ClassUnavailable, "store_failed")
	assert.Equal(t, []string{
		"circuit.create 5190114620-3", "integration.add 1", "circuit.create 7707083893", "integration.add 2", "integration.activate 1",
		"integration.deactivate 1", "integration.remove 1",
	}, b.log(), "each change once, and no refusal")
	entries, _, err := b.db.Audit(4, 1)
	require.NoError(t, err)
	assert.Equal(t, "go live", entries[0].Reason)
}

// A change whose audit entry is lost stands, and the caller is told.
func TestAuditThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	b, ctx := newBundle(t), context.Background()
	b.add(eip, "1")
	b.failAudit(errDisk)
	m, _, err := b.Activate(ctx, by, eip, false, "")
	refused(t, err, fiscal.ClassUnavailable, "audit_failed")
	assert.True(t, m.Active)
	assert.True(t, b.rack.works(eip))
	m, _, err = b.Deactivate(ctx, by, eip, true, "")
	refused(t, err, fiscal.ClassUnavailable, "audit_failed")
	assert.False(t, m.Active)
	b.Wait()
	assert.False(t, b.rack.works(eip), "it drains all the same")
}

func TestEndedRequestChangesNothing(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.add(eip, "1")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := b.CreateCircuit(ctx, by, "7707083893", "t", "")
	refused(t, err, fiscal.ClassUnavailable, "gave_up")
	_, err = b.AddDevice(ctx, by, b.circuit.ID, "terminalfa", "10.0.0.7:1")
	refused(t, err, fiscal.ClassUnavailable, "gave_up")
	_, err = b.AddIntegration(ctx, by, b.circuit.ID, "native", "a", "b")
	refused(t, err, fiscal.ClassUnavailable, "gave_up")
	_, err = b.SetIntegrationActive(ctx, by, 1, true, "")
	refused(t, err, fiscal.ClassUnavailable, "gave_up")
	refused(t, b.RemoveIntegration(ctx, by, 1), fiscal.ClassUnavailable, "gave_up")
	_, _, err = b.Activate(ctx, by, eip, false, "")
	refused(t, err, fiscal.ClassUnavailable, "gave_up")
	_, _, err = b.Deactivate(ctx, by, eip, true, "")
	refused(t, err, fiscal.ClassUnavailable, "gave_up")
	require.Error(t, b.RemoveDevice(ctx, by, eip))
	assert.Len(t, b.Members(), 1)
	assert.False(t, b.rack.works(eip))
}

func TestRegistryWithoutAudit(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	r := circuits.NewRegistry(b.store, b.rack, circuits.Options{DefaultZone: "UTC", Now: func() time.Time { return noon }})
	c, err := r.CreateCircuit(context.Background(), by, "7707083893", "t", "")
	require.NoError(t, err)
	assert.Equal(t, "UTC", c.Zone)
}
