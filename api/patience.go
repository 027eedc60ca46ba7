package api

import (
	"context"
	"net/http"
	"time"
)

// patient gives each write its own time, in place of the server's limit for a whole answer.
type patient struct {
	w     http.ResponseWriter
	now   func() time.Time
	limit time.Duration
}

func (p *patient) Write(b []byte) (int, error) {
	p.extend()
	return p.w.Write(b)
}

// extend is a courtesy to the connection; a writer without deadlines (in tests) does without.
func (p *patient) extend() {
	_ = http.NewResponseController(p.w).SetWriteDeadline(p.now().Add(p.limit))
}

// takesTime lifts the server's limit for the answer and keeps the call out of the duration metric: it waits for a
// register, for a job, or for the client's own time to pass.
func (c *call) takesTime() {
	c.waited = true
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Time{}) // a writer without deadlines needs no lifting
}

// untilShutdown is the call's context, ended by the daemon's shutdown too.
func (s *Server) untilShutdown(c *call) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(c.r.Context())
	detach := context.AfterFunc(s.stopping, cancel)
	return ctx, func() { detach(); cancel() }
}
