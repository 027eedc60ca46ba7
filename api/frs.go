package api

import (
	"errors"
	"fmt"
	"net/http"

	"frpoold/circuits"
	"frpoold/fiscal"
)

func (s *Server) listDevices(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	all, err := q.flag("all", false)
	if err != nil {
		return err
	}
	views := map[fiscal.DeviceID]*fiscal.DeviceView{}
	for _, v := range s.opt.Fleet.Views() {
		views[v.ID] = v
	}
	queued := map[fiscal.CircuitID]int{}
	devices := []deviceJSON{}
	for _, m := range s.opt.Circuits.Members() {
		// A device that was switched off and still has something to finish or to settle is watched until it has.
		if !m.Active && !all && views[m.ID] == nil {
			continue
		}
		n, counted := queued[m.Circuit]
		if !counted {
			n = s.opt.Jobs.Queued(m.Circuit)
			queued[m.Circuit] = n
		}
		devices = append(devices, newDevice(m, views[m.ID], n))
	}
	return c.reply(http.StatusOK, devices)
}

// activeDevice finds a device that is being watched.
func (s *Server) activeDevice(c *call) (circuits.Member, error) {
	m, err := s.opt.Circuits.Member(c.deviceID())
	if _, draining := s.opt.Fleet.View(m.ID); err == nil && !m.Active && !draining {
		err = conflict("device_inactive", fmt.Sprintf("The device %s is inactive, and only an active one is watched and driven: PATCH /frs/{eip}/activate first.", m.ID),
			map[string]any{"eip": m.ID})
	}
	return m, err
}

func (s *Server) getDevice(c *call) error {
	m, err := s.activeDevice(c)
	if err != nil {
		return err
	}
	v, _ := s.opt.Fleet.View(m.ID)
	return c.reply(http.StatusOK, newDevice(m, v, s.opt.Jobs.Queued(m.Circuit)))
}

type exchangesJSON struct {
	EIP    fiscal.DeviceID   `json:"eip"`
	Recent []fiscal.Exchange `json:"recent"`
	Failed []fiscal.Exchange `json:"failed"` // kept longer
}

func (s *Server) getExchanges(c *call) error {
	m, err := s.activeDevice(c)
	if err != nil {
		return err
	}
	recent, failed, _ := s.opt.Fleet.Exchanges(m.ID) // a device the pool has not begun with has had none
	return c.reply(http.StatusOK, exchangesJSON{m.ID, orEmpty(recent), orEmpty(failed)})
}

func (s *Server) activateDevice(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	force, err := q.flag("force", false)
	if err != nil {
		return err
	}
	reason, err := c.decodeReason()
	if err != nil {
		return err
	}
	c.takesTime()
	m, ignored, err := s.opt.Circuits.Activate(c.r.Context(), c.who.name, c.deviceID(), force, reason)
	if err != nil {
		return err
	}
	answer := struct {
		memberJSON
		Ignored []string `json:"ignored"` // rules that force passed over just now
	}{newMember(m), orEmpty(ignored)}
	return c.reply(http.StatusOK, answer)
}

func (s *Server) deactivateDevice(c *call) error {
	q, err := c.query()
	if err != nil {
		return err
	}
	wait, err := q.flag("wait", true)
	if err != nil {
		return err
	}
	reason, err := c.decodeReason()
	if err != nil {
		return err
	}
	if wait {
		c.takesTime()
	}
	ctx, stop := s.untilShutdown(c)
	defer stop()
	m, drained, err := s.opt.Circuits.Deactivate(ctx, c.who.name, c.deviceID(), wait, reason)
	if err != nil {
		return err
	}
	answer := struct {
		memberJSON
		Drained bool `json:"drained"`
	}{newMember(m), drained}
	if !drained {
		return c.reply(http.StatusAccepted, answer)
	}
	return c.reply(http.StatusOK, answer)
}

func (s *Server) removeDevice(c *call) error {
	c.takesTime()
	ctx, stop := s.untilShutdown(c)
	defer stop()
	if err := s.opt.Circuits.RemoveDevice(ctx, c.who.name, c.deviceID()); err != nil {
		return err
	}
	return c.noContent()
}

type operationJSON struct {
	EIP       fiscal.DeviceID  `json:"eip"`
	Operation string           `json:"operation"`
	Document  *fiscal.Document `json:"document"` // null for an operation that makes none
}

// operate makes the handler of one manual operation. Who did it is in the audit log before the answer is out, with the
// document it made or the reason why it made none.
func operate(op string) handlerFunc {
	return func(s *Server, c *call) error {
		reason, err := c.decodeReason()
		if err != nil {
			return err
		}
		m, err := s.activeDevice(c)
		if err != nil {
			return err
		}
		c.takesTime()
		doc, err := s.opt.Fleet.Operate(c.r.Context(), m.ID, op)
		s.audit(c, "device."+op, string(m.ID), reason, operationDetail(doc, err))
		if err != nil {
			return err
		}
		return c.reply(http.StatusOK, operationJSON{m.ID, op, doc})
	}
}

func operationDetail(doc *fiscal.Document, err error) string {
	var device *fiscal.Error
	switch {
	case errors.As(err, &device):
		return fmt.Sprintf("failed (effect %s): %v", device.Effect, err)
	case err != nil:
		return fmt.Sprintf("failed: %v", err)
	case doc != nil:
		return fmt.Sprintf("fn %s, fd %d", doc.FN, doc.Number)
	default:
		return "done"
	}
}

// audit records what the API alone knows of. What was done cannot be undone when the log cannot be written, so that
// failure goes to the daemon's own log instead.
func (s *Server) audit(c *call, action, target, reason, detail string) {
	err := s.opt.Admin.AppendAudit(fiscal.AuditEntry{At: s.opt.Now().UTC(), Actor: c.who.name, Action: action, Target: target, Reason: reason, Detail: detail})
	if err != nil {
		s.log.Error("audit entry lost", "request_id", c.id, "actor", c.who.name, "action", action, "target", target,
			"reason", reason, "detail", detail, "error", err)
	}
}

// orEmpty prints no elements as [] and not as null.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
