package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/simulator"
)

// The examples of the source document (seeds/README.md), as it prints them.
const (
	seedFR = `{
	  "eip": "10.55.15.19:10515", "sn": "2000004581", "timestamp": "18.09.2025 14:02", "mcu_temperature": 45,
	  "fs": {"inn": "770900467024", "rnm": "0008287390020208", "phase": 3, "sn": "7381440800357213", "flags": 0, "shift_is_open": true,
	    "ofd": {"number": 0, "fd_first": 0, "fd_first_timestamp": "Invalid date"},
	    "mode": 4, "tax_system": 2, "agent": 0, "current_document": 0}}`
	seedCircuit = `[{"id": 5346, "inn": "5190114620-3", "title": "ООО АлиТест2",
	  "frs": [
	    {"eip": "1.1.1.1:10203", "type": "pkfa12", "is_active": 0},
	    {"eip": "1.1.1.1:10204", "type": "pkfa12", "is_active": 0},
	    {"eip": "1.1.1.1:10205", "type": "pkfa12", "is_active": 0},
	    {"eip": "10.55.0.96:7777", "type": "terminalfa", "is_active": 0}],
	  "integrations": [{"id": 5401, "type": "native", "param1": "mpos-vseinstrumenti-test.ru-7e8f7159e40e", "param2": "f3642fb38e", "is_active": 1}]}]`
)

// TestSeedCircuit builds the source document's circuit and gets it back as the document shows it. Its integration is of
// type paykeeper there, a kind this version does not have; ids are the daemon's own.
func TestSeedCircuit(t *testing.T) {
	t.Parallel()
	_, c := serve(t, t.TempDir())
	ask(t, c, http.MethodPost, "/fcircuit", map[string]string{"inn": "5190114620-3", "title": "ООО АлиТест2"}, nil)
	for _, fr := range [][2]string{{"pkfa12", "1.1.1.1:10203"}, {"pkfa12", "1.1.1.1:10204"}, {"pkfa12", "1.1.1.1:10205"}, {"terminalfa", "10.55.0.96:7777"}} {
		ask(t, c, http.MethodPost, "/fcircuit/1/fr", map[string]string{"type": fr[0], "eip": fr[1]}, nil)
	}
	ask(t, c, http.MethodPost, "/fcircuit/1/int", map[string]string{"type": "native", "param1": "mpos-vseinstrumenti-test.ru-7e8f7159e40e", "param2": "f3642fb38e"}, nil)
	ask(t, c, http.MethodPatch, "/int/1/activate", nil, nil)
	var got any
	ask(t, c, http.MethodGet, "/fcircuit/5190114620-3", nil, &got)
	same(t, "", parsed(t, seedCircuit), got, map[string]bool{"[0].id": true, "[0].integrations[0].id": true})
}

// TestSeedStates reads the state of a real connected (software) register: every member of the source document is there,
// with its type and, where the register is like the document's, its value.
func TestSeedStates(t *testing.T) {
	t.Parallel()
	rack := newRack(t, simulator.Options{Devices: 1, Profile: simulator.PKFA12, INN: "770900467024", TaxSystems: 2, Modes: 4, Seed: 17})
	eip := rack.Devices()[0].Address
	_, c := serve(t, t.TempDir())
	ask(t, c, http.MethodPost, "/fcircuit", map[string]string{"inn": "770900467024", "title": "ИП"}, nil)
	ask(t, c, http.MethodPost, "/fcircuit/1/fr", map[string]string{"type": "pkfa12", "eip": eip}, nil)
	ask(t, c, http.MethodPatch, "/frs/"+eip+"/activate", nil, nil)
	ask(t, c, http.MethodPost, "/frs/"+eip+"/shift/open", nil, nil)
	require.NoError(t, rack.Patch(1, simulator.Patch{Confirm: ptr(-1)}))

	var one, all any
	require.Eventually(t, func() bool {
		ask(t, c, http.MethodGet, "/frs/"+eip, nil, &one)
		ofd := one.(map[string]any)["fs"].(map[string]any)["ofd"].(map[string]any)
		return fmt.Sprint(ofd["number"]) == "0"
	}, waitLong, waitShort, "the next poll sees the empty queue")
	ask(t, c, http.MethodGet, "/frs", nil, &all)
	list, ok := all.([]any)
	require.True(t, ok)
	require.Len(t, list, 1)
	// What belongs to this very register differs; everything else is as printed.
	own := map[string]bool{".eip": true, ".sn": true, ".timestamp": true, ".mcu_temperature": true, ".fs.rnm": true, ".fs.sn": true}
	same(t, "", parsed(t, seedFR), one, own)
	same(t, "", parsed(t, seedFR), list[0], own)
	assert.Regexp(t, `^\d\d\.\d\d\.\d{4} \d\d:\d\d$`, one.(map[string]any)["timestamp"])
}

func ptr[T any](v T) *T { return &v }

func parsed(t *testing.T, text string) any {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}

// same walks the document's example: each of its members must be there, of the same type, and equal unless its path is in
// other. Members beside the document's are welcome.
func same(t *testing.T, path string, want, got any, other map[string]bool) {
	t.Helper()
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		require.True(t, ok, "%s is an object", path)
		for name, v := range w {
			if assert.Contains(t, g, name, "member of %s", path) {
				same(t, path+"."+name, v, g[name], other)
			}
		}
	case []any:
		g, ok := got.([]any)
		require.True(t, ok, "%s is an array", path)
		require.Len(t, g, len(w), path)
		for i := range w {
			same(t, fmt.Sprintf("%s[%d]", path, i), w[i], g[i], other)
		}
	default:
		assert.IsType(t, want, got, path)
		if !other[path] {
			assert.Equal(t, want, got, path)
		}
	}
}
