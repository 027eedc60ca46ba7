package fiscal

import "time"

// Event is something an operator may watch: a job that came to rest or fell in doubt, a gate that closed or opened.
type Event struct {
	At      time.Time `json:"at"`
	Type    EventType `json:"type"`
	Job     *Job      `json:"job,omitempty"`
	Device  DeviceID  `json:"device,omitempty"`
	Circuit CircuitID `json:"circuit,omitempty"`
	Gate    *Gate     `json:"gate,omitempty"`
}

// EventType names a kind of event.
type EventType string

// Events.
const (
	EventJob        EventType = "job"
	EventGateClosed EventType = "gate_closed"
	EventGateOpened EventType = "gate_opened"
)
