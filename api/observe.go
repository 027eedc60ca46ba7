package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// httpMetrics have labels from closed sets only: route templates, known methods, statuses.
type httpMetrics struct {
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
	logins   prometheus.Counter
	handler  http.Handler // of GET /metrics
}

func newHTTPMetrics(reg *prometheus.Registry, events *Broker) *httpMetrics {
	m := &httpMetrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "frpoold_http_requests_total",
			Help: "HTTP requests answered, by route template, method and status.",
		}, []string{"route", "method", "code"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "frpoold_http_request_duration_seconds",
			Help:    "Time to answer. Streams and requests that asked to wait are left out.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}, []string{"route", "method"}),
		logins: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "frpoold_http_login_failures_total",
			Help: "Requests with a wrong password or token, or turned away after too many of them.",
		}),
		handler: promhttp.HandlerFor(reg, promhttp.HandlerOpts{}),
	}
	clients := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "frpoold_http_event_clients",
		Help: "Clients of the event stream.",
	}, func() float64 { return float64(events.Clients()) })
	dropped := prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "frpoold_http_event_clients_dropped_total",
		Help: "Clients of the event stream that were too slow and were disconnected.",
	}, func() float64 { return float64(events.Dropped()) })
	reg.MustRegister(m.requests, m.duration, m.logins, clients, dropped)
	return m
}

func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// observe is the outermost layer: it names the request, survives its panic, counts it and writes its line to the log.
func (s *Server) observe(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun := s.opt.Now()
		c := &call{w: &recorder{ResponseWriter: w}, r: r, id: r.Header.Get("X-Request-Id"), label: noLabel}
		if !saneRequestID(c.id) {
			c.id = s.newRequestID()
		}
		h := w.Header()
		h.Set("X-Request-Id", c.id)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Cache-Control", "no-store")
		defer func() {
			cut := s.recovered(c, recover())
			s.account(c, s.opt.Now().Sub(begun))
			if cut {
				panic(http.ErrAbortHandler) // net/http closes the connection and says nothing
			}
		}()
		next.ServeHTTP(c.w, withCall(r, c))
	})
}

// recovered turns a panic into 500. cut says that the answer was begun and the connection must be cut off.
func (s *Server) recovered(c *call, p any) (cut bool) {
	if p == nil {
		return false
	}
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) { // the handler's own wish
		return true
	}
	s.log.Error("panic in a request", "request_id", c.id, "route", c.label, "panic", p, "stack", string(debug.Stack()))
	if c.w.status != 0 {
		return true
	}
	s.write(c, internalError(c.id))
	return false
}

func (s *Server) account(c *call, took time.Duration) {
	status := c.w.status
	if status == 0 {
		status = http.StatusOK
	}
	method := methodLabel(c.r.Method)
	s.metrics.requests.WithLabelValues(c.label, method, strconv.Itoa(status)).Inc()
	if !c.stream && !c.waited {
		s.metrics.duration.WithLabelValues(c.label, method).Observe(took.Seconds())
	}
	level := slog.LevelInfo
	if read := method == http.MethodGet || method == http.MethodHead; read && status < http.StatusMultipleChoices {
		level = slog.LevelDebug
	}
	// The path without its query: a query may carry what a log must not.
	s.log.Log(context.WithoutCancel(c.r.Context()), level, "request", "request_id", c.id, "method", method, "route", c.label,
		"path", clip(c.r.URL.EscapedPath(), 256), "status", status, "bytes", c.w.bytes, "ms", took.Milliseconds(),
		"caller", c.who.name, "remote", c.r.RemoteAddr)
}
