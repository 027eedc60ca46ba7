package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

// localRequest is a request as a program on the daemon's host makes it.
func localRequest(method, target string, body io.Reader) *http.Request {
	r := httptest.NewRequest(method, target, body)
	r.Host = "127.0.0.1:8080"
	return r
}

// Without tokens, a name that a web page pointed at the daemon (DNS rebinding) gets nothing, not even reads; with tokens the
// name does not matter, since a page has none.
func TestHostNames(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]int{
		"127.0.0.1:8080": 200, "localhost": 200, "localhost:8080": 200, "[::1]:8080": 200, "10.1.2.3": 200,
		"evil.example": 403, "evil.example:8080": 403, "localhost.evil.example": 403, "127.0.0.1.evil.example": 403,
	} {
		r := localRequest(http.MethodGet, "/fcircuit", nil)
		r.Host = host
		require.Equal(t, want, newWorld(t).send(r).status, host)
	}
}
