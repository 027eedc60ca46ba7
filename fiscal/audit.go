package fiscal

import "time"

// AuditEntry is who did what to the rack, and why.
type AuditEntry struct {
	Seq    uint64    `json:"seq"`
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"` // "device.activate"
	Target string    `json:"target"`
	Reason string    `json:"reason,omitempty"`
	Detail string    `json:"detail,omitempty"`
}

// Delivery is one callback waiting in the outbox.
type Delivery struct {
	ID          uint64        `json:"id"`
	Job         JobID         `json:"job"`
	Integration IntegrationID `json:"integration"`
	URL         string        `json:"url"`
	CreatedAt   time.Time     `json:"created_at"`
	NextTry     time.Time     `json:"next_try"` // zero once it was given up
	Tries       int           `json:"tries"`
	LastError   string        `json:"last_error,omitempty"`
}
