package api

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

func TestAudit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.JSONEq(t, `{"items":[],"next":null}`, string(w.get("/audit").ok(200).body))
	require.Equal(t, 100, w.admin.limit)
	w.admin.audit = []fiscal.AuditEntry{{Seq: 8, At: testNow, Actor: "anna", Action: "device.activate", Target: seedEIP, Reason: "spare"}}
	w.admin.next = 8
	a := w.get("/audit?after=7&limit=1").ok(200)
	require.EqualValues(t, 7, w.admin.after)
	require.Equal(t, 1, w.admin.limit)
	require.Equal(t, "8", a.at("next"))
	require.Equal(t, "anna", a.at("items", 0, "actor"))
}

func TestBackup(t *testing.T) {
	t.Parallel()
	var spool string
	w := newWorld(t, func(o *Options) { spool = o.SpoolDir })
	a := w.get("/admin/backup").ok(200)
	require.Equal(t, "a database", string(a.body))
	require.Equal(t, "10", a.header.Get("Content-Length"))
	require.Equal(t, "application/octet-stream", a.header.Get("Content-Type"))
	require.Equal(t, `attachment; filename="frpoold-20250918T110207Z.db"`, a.header.Get("Content-Disposition"))
	require.Equal(t, []fiscal.AuditEntry{{Seq: 1, At: testNow, Actor: "local", Action: "store.backup", Target: "store", Detail: "10 bytes"}}, w.admin.entries())
	left, err := os.ReadDir(spool)
	require.NoError(t, err)
	require.Empty(t, left)
}

// A backup that cannot be made is an error, never a short file.
func TestBackupFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin.fail = errors.New("no space left on device")
	a := w.get("/admin/backup").failed(503, "backup_failed")
	require.Contains(t, a.at("error", "message"), "no space left")
	require.Empty(t, w.admin.entries())
	w = newWorld(t, func(o *Options) { o.SpoolDir += "/gone" })
	w.get("/admin/backup").failed(503, "backup_failed")
}

func TestOneBackupAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin.begun, w.admin.hold = make(chan struct{}), make(chan struct{})
	first := w.later("/admin/backup")
	<-w.admin.begun
	w.get("/admin/backup").failed(409, "backup_running")
	close(w.admin.hold)
	require.Equal(t, "a database", string((<-first).body))
	w.admin.begun = nil
	w.get("/admin/backup").ok(200)
}

// failingWriter is a client that goes away in the middle.
type failingWriter struct{ *httptest.ResponseRecorder }

func (failingWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestBrokenDownloadIsCutOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.PanicsWithValue(t, http.ErrAbortHandler, func() {
		w.server.Handler().ServeHTTP(failingWriter{httptest.NewRecorder()}, localRequest("GET", "/admin/backup", nil))
	})
	require.Contains(t, w.logs.String(), "a backup was not taken whole")
	require.NotContains(t, w.logs.String(), "panic in a request")
}

func TestHealth(t *testing.T) {
	t.Parallel()
	var broken error
	w := newWorld(t, withTokens, func(o *Options) { o.Healthy = func() error { return broken } })
	require.JSONEq(t, `{"status":"ok","version":"1.2.3","uptime_seconds":0}`, string(w.get("/healthz").ok(200).body))
	broken = errors.New("the dispatcher's loop is stuck")
	a := w.get("/healthz").failed(503, "unhealthy")
	require.Equal(t, "the dispatcher's loop is stuck", a.at("error", "message"))
}

func TestReady(t *testing.T) {
	t.Parallel()
	var broken error
	w := newWorld(t, withTokens, func(o *Options) { o.Ready = func() error { return broken } })
	require.JSONEq(t, `{"status":"ready"}`, string(w.get("/readyz").ok(200).body))
	broken = errors.New("the store cannot be written: no space left on device")
	a := w.get("/readyz").failed(503, "not_ready")
	require.Contains(t, a.at("error", "message"), "no space left")
	broken = nil
	w.stop()
	a = w.get("/readyz").failed(503, "not_ready")
	require.Contains(t, a.at("error", "message"), "shutting down")
	w.get("/healthz").ok(200)
}

func TestMetricsRoute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.get("/metrics").ok(200)
	require.True(t, strings.HasPrefix(a.header.Get("Content-Type"), "text/plain"))
}

func TestNewNeedsItsOptions(t *testing.T) {
	t.Parallel()
	require.Panics(t, func() { New(Options{}) })
	w := newWorld(t)
	o := w.server.opt
	o.Registry, o.Log, o.Shutdown, o.Ready, o.Healthy = prometheus.NewRegistry(), nil, nil, nil, nil
	rec := httptest.NewRecorder()
	New(o).Handler().ServeHTTP(rec, localRequest("GET", "/readyz", nil))
	require.Equal(t, 200, rec.Code)
}
