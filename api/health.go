package api

import (
	"net/http"

	"frpoold/fiscal"
)

type healthJSON struct {
	Status        string `json:"status"`
	Version       string `json:"version"`
	UptimeSeconds int64  `json:"uptime_seconds"`
}

func (s *Server) getHealth(c *call) error {
	if s.opt.Healthy != nil {
		if err := s.opt.Healthy(); err != nil {
			return &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "unhealthy", Message: err.Error()}
		}
	}
	return c.reply(http.StatusOK, healthJSON{"ok", s.opt.Version, int64(s.opt.Now().Sub(s.started).Seconds())})
}

func (s *Server) getReady(c *call) error {
	if s.stopping.Err() != nil {
		return &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "not_ready", Message: "The daemon is shutting down."}
	}
	if s.opt.Ready != nil {
		if err := s.opt.Ready(); err != nil {
			return &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "not_ready", Message: err.Error()}
		}
	}
	return c.reply(http.StatusOK, map[string]string{"status": "ready"})
}

func (s *Server) getMetrics(c *call) error {
	s.metrics.handler.ServeHTTP(c.w, c.r)
	return nil
}
