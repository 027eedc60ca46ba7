package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"frpoold/integration/native"
)

// Options are what a Server is told once. Fields without a remark are needed.
type Options struct {
	Circuits   Circuits
	Fleet      Fleet
	Jobs       Jobs
	Deliveries Deliveries
	Admin      Admin
	Events     *Broker

	Native native.Options // how receipts are checked at the door

	Tokens []Token // none: every local caller is an operator
	// TrustForwarded takes the caller's address for the limit of failed logins from the last X-Forwarded-For entry:
	// only behind a proxy that sets it.
	TrustForwarded bool

	Registry *prometheus.Registry // gets the metrics of this package and is served at /metrics
	Ready    func() error         // optional: what keeps the daemon from taking receipts; the text is shown to anybody
	Healthy  func() error         // optional: what is broken in the process itself; likewise
	Version  string
	SpoolDir string // where a backup is put together before it is sent; empty: the system's temporary folder

	Shutdown context.Context // optional: its end lets long polls and event streams finish
	Now      func() time.Time
	Log      *slog.Logger // optional
}

// Server answers HTTP requests. It owns no listener: cmd puts Handler into its http.Server.
type Server struct {
	opt      Options
	log      *slog.Logger
	started  time.Time
	handler  http.Handler
	auth     *authenticator
	metrics  *httpMetrics
	origin   *http.CrossOriginProtection
	stopping context.Context

	heartbeat time.Duration // between comments on an idle event stream
	requests  atomic.Uint64 // numbers requests that bring no id of their own
	backup    sync.Mutex    // held by the one backup under way
}

const (
	eventHeartbeat = 15 * time.Second
	maxTimeout     = 60 * time.Second // of ?wait
)

// New makes a Server and registers its metrics. It panics when a needed option is missing: that is a mistake of the
// program, not of its configuration.
func New(o Options) *Server {
	if o.Circuits == nil || o.Fleet == nil || o.Jobs == nil || o.Deliveries == nil || o.Admin == nil || o.Events == nil ||
		o.Registry == nil || o.Now == nil {
		panic("api: a needed option is missing")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Shutdown == nil {
		o.Shutdown = context.Background()
	}
	s := &Server{
		opt:       o,
		log:       o.Log,
		started:   o.Now(),
		metrics:   newHTTPMetrics(o.Registry, o.Events),
		origin:    http.NewCrossOriginProtection(),
		stopping:  o.Shutdown,
		heartbeat: eventHeartbeat,
	}
	s.auth = newAuthenticator(o, s.metrics.logins)
	s.handler = s.observe(s.router())
	return s
}

// Handler answers every request of the API.
func (s *Server) Handler() http.Handler { return s.handler }

// newRequestID is unique among the daemon's runs as far as its clock is.
func (s *Server) newRequestID() string {
	return strconv.FormatInt(s.started.UnixMilli(), 36) + "-" + strconv.FormatUint(s.requests.Add(1), 10)
}
