package api

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"frpoold/fiscal"
	"frpoold/integration/native"
)

// eventTime is how long one event may take on its way to a client.
const eventTime = 15 * time.Second

// eventJSON is fiscal.Event with its job as GET /receipts/{id} shows it.
type eventJSON struct {
	At      time.Time        `json:"at"`
	Type    fiscal.EventType `json:"type"`
	Job     *native.Job      `json:"job,omitempty"`
	Device  fiscal.DeviceID  `json:"device,omitempty"`
	Circuit fiscal.CircuitID `json:"circuit,omitempty"`
	Gate    *fiscal.Gate     `json:"gate,omitempty"`
}

// streamEvents sends server-sent events until the client or the daemon goes. A comment goes out when the stream was
// idle, so that proxies keep it open and a dead client is found.
func (s *Server) streamEvents(c *call) error {
	sub, ok := s.opt.Events.subscribe()
	if !ok {
		return &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "too_many_event_clients",
			Message: fmt.Sprintf("%d clients listen already: close one.", maxEventClients), RetryAfter: 60}
	}
	defer s.opt.Events.unsubscribe(sub)
	h := c.w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would hold events back
	c.w.WriteHeader(http.StatusOK)
	out := &eventWriter{patient{w: c.w, now: s.opt.Now, limit: eventTime}}
	beat := time.NewTicker(s.heartbeat)
	defer beat.Stop()
	err := out.send([]byte("retry: 3000\n: listening\n\n"))
	for err == nil {
		select {
		case e := <-sub.events:
			err = out.event(s, e)
			beat.Reset(s.heartbeat)
		case <-beat.C:
			err = out.send([]byte(": idle\n\n"))
		case <-sub.lost:
			_ = out.send([]byte("event: dropped\ndata: {\"message\":\"this client was too slow, and events were lost: reconnect and read the present state\"}\n\n"))
			return nil
		case <-s.stopping.Done():
			return nil
		case <-c.r.Context().Done():
			return nil
		}
	}
	return nil //nolint:nilerr // a client that cannot be written to has gone
}

type eventWriter struct{ patient }

func (w *eventWriter) event(s *Server, e numbered) error {
	j := eventJSON{At: e.event.At.UTC(), Type: e.event.Type, Device: e.event.Device, Circuit: e.event.Circuit, Gate: e.event.Gate}
	if e.event.Job != nil {
		j.Job = ptr(native.Render(*e.event.Job))
	}
	data, err := encode(j) // ends in a newline and has none inside
	if err != nil {
		s.log.Error("an event cannot be encoded", "type", e.event.Type, "error", err)
		return nil
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "id: %d\nevent: %s\ndata: %s\n", e.number, e.event.Type, data)
	return w.send(b.Bytes())
}

func (w *eventWriter) send(b []byte) error {
	if _, err := w.Write(b); err != nil {
		return err
	}
	return http.NewResponseController(w.w).Flush()
}
