package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// The examples of the source document (seeds/README.md), compared member by member: each must be there with exactly its
// value and type. Members beside them are allowed, elements beside them are not.

func readSeed(t *testing.T, name string) any {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal(raw, &v))
	return v
}

// differences lists where got is not what the seed says.
func differences(at string, seed, got any) []string {
	var out []string
	switch want := seed.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s: an object, not %T", at, got)}
		}
		for name, value := range want {
			member, there := have[name]
			if !there {
				out = append(out, fmt.Sprintf("%s.%s: missing", at, name))
				continue
			}
			out = append(out, differences(at+"."+name, value, member)...)
		}
	case []any:
		have, ok := got.([]any)
		if !ok || len(have) != len(want) {
			return []string{fmt.Sprintf("%s: an array of %d, not %v", at, len(want), got)}
		}
		for i := range want {
			out = append(out, differences(fmt.Sprintf("%s[%d]", at, i), want[i], have[i])...)
		}
	default:
		if seed != got {
			out = append(out, fmt.Sprintf("%s: %#v, not %#v", at, seed, got))
		}
	}
	return out
}

func TestSeedDevices(t *testing.T) {
	t.Parallel()
	seed := readSeed(t, "seed_frs.json")
	w := newWorld(t)
	require.Empty(t, differences("", seed, w.get("/frs").ok(http.StatusOK).json()))
	require.Empty(t, differences("", seed.([]any)[0], w.get("/frs/"+seedEIP).ok(http.StatusOK).json()))
}

func TestSeedCircuit(t *testing.T) {
	t.Parallel()
	seed := readSeed(t, "seed_fcircuit.json")
	w := newWorld(t)
	require.Empty(t, differences("", seed, w.get("/fcircuit/5190114620-3").ok(http.StatusOK).json()))
	require.Empty(t, differences("", seed.([]any)[0], w.get("/fcircuit").ok(http.StatusOK).at(0)))
}

func TestSeedComparisonSeesDifferences(t *testing.T) {
	t.Parallel()
	for seed, got := range map[string]string{
		`{"a":1}`:    `{"b":1}`,
		`{"a":10}`:   `{"a":1}`,
		`{"a":0}`:    `{"a":false}`,
		`{"a":[1]}`:  `{"a":[1,2]}`,
		`{"a":{}}`:   `{"a":[]}`,
		`{"a":"1"}`:  `{"a":1}`,
		`{"a":null}`: `{}`,
	} {
		var s, g any
		require.NoError(t, json.Unmarshal([]byte(seed), &s))
		require.NoError(t, json.Unmarshal([]byte(got), &g))
		require.NotEmpty(t, differences("", s, g), "%s and %s", seed, got)
	}
}
