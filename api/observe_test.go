package api

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/stretchr/testify/require"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	seen := map[string]bool{}
	for range 10 {
		seen[w.get("/healthz").header.Get("X-Request-Id")] = true
	}
	require.Len(t, seen, 10)
	for given, kept := range map[string]bool{
		"4bf92f3577b34da6a3ce929d0e0e4736": true, "a:b_c.d-e": true, strings.Repeat("x", 64): true,
		strings.Repeat("x", 65): false, "with space": false, "new\nline": false, `"quoted"`: false, "я": false,
	} {
		r := localRequest("GET", "/nowhere", nil)
		r.Header.Set("X-Request-Id", given)
		a := w.send(r).failed(404, "route_not_found")
		require.Equal(t, kept, a.header.Get("X-Request-Id") == given, given)
	}
}

// line is the access log's line of the last request.
func (w *world) line() string {
	lines := strings.Split(strings.TrimSpace(w.logs.String()), "\n")
	return lines[len(lines)-1]
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	op := asToken(operatorToken)
	a := w.do("GET", "/frs/"+seedEIP, "", op).ok(200)
	require.Contains(t, w.line(), "level=DEBUG msg=request request_id="+a.header.Get("X-Request-Id")+` method=GET route=/frs/{eip} path=/frs/`+seedEIP+" status=200")
	require.Contains(t, w.line(), "caller=anna")
	require.Contains(t, w.line(), "remote=192.0.2.1")
	w.do("GET", "/frs/nobody", "", op).ok(404)
	require.Contains(t, w.line(), "level=INFO")
	w.do("POST", "/frs/"+seedEIP+"/clock", "", op).ok(200)
	require.Contains(t, w.line(), "level=INFO")
	w.do("GET", "/nowhere?password=hunter2", "", op)
	require.Contains(t, w.line(), "route=none path=/nowhere status=404")
}

func TestLogKeepsNoSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	w.do("GET", "/receipts?status=queued&token=hunter2", "", asToken(operatorToken)).ok(200)
	w.do("GET", "/int/5402/receipts", "", own).ok(200)
	w.do("GET", "/int/5402/receipts", "", asIntegration("own", "a-wrong-guess")).ok(401)
	w.do("POST", "/int/5402/receipts", receiptBody, own).ok(202)
	for _, secret := range []string{"hunter2", operatorToken, "own-secret", "a-wrong-guess", "buyer@example.com", "Basic", "Bearer"} {
		require.NotContains(t, w.logs.String(), secret)
	}
}

func TestMetricsHaveClosedLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.get("/frs/" + seedEIP).ok(200)
	w.get("/frs/1.2.3.4:5").ok(404)
	w.get("/what/ever").ok(404)
	w.do("BREW", "/frs", "", asNobody).ok(405)
	w.do("GET", "/frs", "", asToken("wrong")).ok(401)
	w.get("/receipts/" + string(queuedJob) + "?wait=1ms").ok(200)
	require.NoError(t, testutil.CollectAndCompare(w.server.metrics.requests, strings.NewReader(`
# HELP frpoold_http_requests_total HTTP requests answered, by route template, method and status.
# TYPE frpoold_http_requests_total counter
frpoold_http_requests_total{code="200",method="GET",route="/frs/{eip}"} 1
frpoold_http_requests_total{code="200",method="GET",route="/receipts/{id}"} 1
frpoold_http_requests_total{code="401",method="GET",route="/frs"} 1
frpoold_http_requests_total{code="404",method="GET",route="/frs/{eip}"} 1
frpoold_http_requests_total{code="404",method="GET",route="none"} 1
frpoold_http_requests_total{code="405",method="other",route="/frs"} 1
`)))
	require.EqualValues(t, 1, testutil.ToFloat64(w.server.metrics.logins))
	text := string(w.get("/metrics").ok(200).body)
	require.Contains(t, text, "frpoold_http_event_clients 0")
	require.Contains(t, text, "frpoold_http_event_clients_dropped_total 0")
	require.Contains(t, text, `frpoold_http_request_duration_seconds_count{method="GET",route="/frs/{eip}"} 2`)
	require.NotContains(t, text, `frpoold_http_request_duration_seconds_count{method="GET",route="/receipts/{id}"}`, "a client's own wait says nothing about us")
	problems, err := testutil.GatherAndLint(w.registry)
	require.NoError(t, err)
	require.Empty(t, problems)
}

func TestHardeningHeaders(t *testing.T) {
	t.Parallel()
	a := newWorld(t).get("/frs")
	require.Equal(t, "no-store", a.header.Get("Cache-Control"))
	require.Equal(t, "nosniff", a.header.Get("X-Content-Type-Options"))
}
