package api

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestCreateCircuit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	a := w.do("POST", "/fcircuit", `{"inn":"7707083893-2","title":"Лавка","timezone":"Asia/Omsk"}`, asToken(operatorToken)).ok(http.StatusCreated)
	require.Equal(t, `create anna "7707083893-2" "Лавка" "Asia/Omsk"`, w.circuits.lastCall())
	require.Equal(t, "/fcircuit/7707083893-2", a.header.Get("Location"))
	require.EqualValues(t, 9000, a.at("id"))
	require.Equal(t, []any{}, a.at("frs"))
	require.Equal(t, []any{}, a.at("integrations"))
	w.do("POST", "/fcircuit", `{"inn":"7707083893-2","title":"Лавка"}`, asToken(operatorToken)).failed(409, "circuit_exists")
	require.Len(t, w.do("GET", "/fcircuit", "", asToken(viewerToken)).ok(200).json(), 3)
}

func TestGetCircuitUnknown(t *testing.T) {
	t.Parallel()
	newWorld(t).get("/fcircuit/7707083893").failed(404, "circuit_not_found")
}

func TestAddDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do("POST", "/fcircuit/7/fr", `{"type":"terminalfa","eip":"serial:/dev/ttyUSB0?baud=115200"}`, asNobody).ok(201)
	require.Equal(t, `add local 7 "terminalfa" "serial:/dev/ttyUSB0?baud=115200"`, w.circuits.lastCall())
	require.EqualValues(t, 0, a.at("is_active"))
	require.Nil(t, a.at("activated_at"))
	// What Location says can be asked for as it stands.
	w.get(a.header.Get("Location")).failed(409, "device_inactive")
	dup := w.do("POST", "/fcircuit/7/fr", `{"type":"terminalfa","eip":"1.1.1.1:10203"}`, asNobody).failed(409, "device_in_circuit")
	require.Equal(t, "5190114620-3", dup.at("error", "details", "inn"))
	a = w.do("POST", "/fcircuit/7/fr", `{"type":"teapot","eip":"1.1.1.1:1"}`, asNobody).failed(400, "unknown_type")
	require.Equal(t, []any{"pkfa12", "terminalfa"}, a.at("error", "details", "known"))
}

func TestIntegrations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	op := asToken(operatorToken)
	a := w.do("POST", "/fcircuit/7/int", `{"type":"native","param1":"shop","param2":"s3cret-s3cret"}`, op).ok(201)
	require.Equal(t, "/int/6000", a.header.Get("Location"))
	require.Equal(t, "s3cret-s3cret", a.at("param2"))
	a = w.do("PATCH", "/int/6000/activate", `{"reason":"go"}`, op).ok(200)
	require.Equal(t, `switch int anna 6000 true "go"`, w.circuits.lastCall())
	require.EqualValues(t, 1, a.at("is_active"))
	a = w.do("PATCH", "/int/6000/deactivate", "", op).ok(200)
	require.EqualValues(t, 0, a.at("is_active"))
	require.Equal(t, "shop", w.do("GET", "/int/6000", "", op).ok(200).at("param1"))
	w.do("DELETE", "/int/6000", "", op).ok(204)
	w.do("GET", "/int/6000", "", op).failed(404, "integration_not_found")
	w.do("DELETE", "/int/6000", "", op).failed(404, "integration_not_found")
}

// An integration's credentials work from the moment it exists and not a moment longer.
func TestIntegrationCredentialsFollowChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	shop := asIntegration("shop", "s3cret-s3cret")
	w.do("GET", "/int/6000/receipts", "", shop).failed(401, "wrong_credentials")
	w.do("POST", "/fcircuit/7/int", `{"type":"native","param1":"shop","param2":"s3cret-s3cret"}`, asToken(operatorToken)).ok(201)
	w.do("GET", "/int/6000/receipts", "", shop).ok(200)
	w.do("DELETE", "/int/6000", "", asToken(operatorToken)).ok(204)
	w.do("GET", "/int/6000/receipts", "", shop).failed(401, "wrong_credentials")
}

func TestSecretsAreForOperators(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	for _, target := range []string{"/fcircuit", "/fcircuit/770900467024", "/int/5402"} {
		seen := string(w.do("GET", target, "", asToken(viewerToken)).ok(200).body)
		require.NotContains(t, seen, "own-secret", target)
		require.Contains(t, seen, `"param2":"********"`, target)
		require.Contains(t, string(w.do("GET", target, "", asToken(operatorToken)).ok(200).body), "own-secret", target)
	}
	for _, line := range strings.Split(w.logs.String(), "\n") {
		require.NotContains(t, line, "own-secret")
	}
}
