package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/circuits"
	"frpoold/fiscal"
	"frpoold/store"
	"frpoold/store/storetest"
)

func TestCircuitRecords(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	a, err := s.CreateCircuit(circuits.Circuit{Identifier: "7707083893", Title: "А", Zone: "Europe/Moscow", CreatedAt: epoch})
	require.NoError(t, err)
	b, err := s.CreateCircuit(circuits.Circuit{Identifier: "7707083893-2", CreatedAt: epoch})
	require.NoError(t, err)
	assert.Equal(t, fiscal.CircuitID(1), a.ID)
	assert.Equal(t, fiscal.CircuitID(2), b.ID)
	all, err := s.Circuits()
	require.NoError(t, err)
	assert.Equal(t, []circuits.Circuit{a, b}, all)
}

func TestMemberRecords(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	m := circuits.Member{ID: "10.0.0.1:7777", Circuit: 1, Type: "terminalfa", Family: "terminalfa", AddedAt: epoch}
	require.ErrorIs(t, s.UpdateMember(m), store.ErrNotFound)
	require.ErrorIs(t, s.DeleteMember(m.ID), store.ErrNotFound)
	require.NoError(t, s.CreateMember(m))
	require.ErrorIs(t, s.CreateMember(m), store.ErrExists)
	m.Active, m.Ignored, m.ActivatedAt = true, []string{"wrong_inn"}, epoch
	m.Identity = &fiscal.Identity{Family: "terminalfa", Serial: "2000004581", INN: "770900467024", FFD: fiscal.FFD105, FNExpires: deviceTime()}
	require.NoError(t, s.UpdateMember(m))
	all, err := s.Members()
	require.NoError(t, err)
	assert.Equal(t, []circuits.Member{m}, all)
	require.NoError(t, s.DeleteMember(m.ID))
	all, err = s.Members()
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestIntegrationRecords(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t)
	require.ErrorIs(t, s.UpdateIntegration(circuits.Integration{ID: 1}), store.ErrNotFound)
	require.ErrorIs(t, s.DeleteIntegration(1), store.ErrNotFound)
	i, err := s.CreateIntegration(circuits.Integration{Circuit: 1, Type: "native", Param1: "shop", Param2: "secret", CreatedAt: epoch})
	require.NoError(t, err)
	assert.Equal(t, fiscal.IntegrationID(1), i.ID)
	i.Active = true
	require.NoError(t, s.UpdateIntegration(i))
	all, err := s.Integrations()
	require.NoError(t, err)
	assert.Equal(t, []circuits.Integration{i}, all)
	require.NoError(t, s.DeleteIntegration(1))
	i, err = s.CreateIntegration(circuits.Integration{Circuit: 1, CreatedAt: epoch})
	require.NoError(t, err)
	assert.Equal(t, fiscal.IntegrationID(2), i.ID, "an id is never given twice: old jobs carry it")
}
