package native

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"frpoold/fiscal"
)

// Job is a job as clients see it, in answers and in callbacks.
type Job struct {
	ID          fiscal.JobID         `json:"id"`
	ExternalID  string               `json:"external_id"`
	Status      fiscal.JobState      `json:"status"`
	CreatedAt   time.Time            `json:"created_at"`
	UpdatedAt   time.Time            `json:"updated_at"`
	Deadline    time.Time            `json:"deadline"`
	Operation   fiscal.Operation     `json:"operation"`
	Total       fiscal.Money         `json:"total"`
	Integration fiscal.IntegrationID `json:"integration"`
	Circuit     fiscal.CircuitID     `json:"circuit"`
	Attempts    []fiscal.Attempt     `json:"attempts"`         // never null
	Error       *fiscal.Failure      `json:"error"`            // null unless it was refused, expired or waits for a person
	Fiscal      *fiscal.FiscalData   `json:"fiscal,omitempty"` // once made
	CallbackURL string               `json:"callback_url,omitempty"`
	Callbacks   []Callback           `json:"callbacks,omitempty"` // not confirmed yet, or given up
}

// Callback is a delivery that has not arrived.
type Callback struct {
	Tries     int        `json:"tries"`
	NextTry   *time.Time `json:"next_try"` // null: given up
	LastError string     `json:"last_error,omitempty"`
}

// Render shows a job. deliveries are those of the job still in the outbox; a callback itself carries none. The result
// shares the job's slices and pointers.
func Render(j fiscal.Job, deliveries ...fiscal.Delivery) Job {
	v := Job{
		ID: j.ID, ExternalID: j.ExternalID, Status: j.State,
		CreatedAt: j.CreatedAt.UTC(), UpdatedAt: j.UpdatedAt.UTC(), Deadline: j.Deadline.UTC(),
		Operation: j.Operation, Total: j.Total, Integration: j.Integration, Circuit: j.Circuit,
		Attempts: j.Attempts, Error: j.Failure, Fiscal: j.Fiscal, CallbackURL: j.CallbackURL,
	}
	if v.Attempts == nil {
		v.Attempts = []fiscal.Attempt{}
	}
	for _, d := range deliveries {
		c := Callback{Tries: d.Tries, LastError: d.LastError}
		if !d.NextTry.IsZero() {
			next := d.NextTry.UTC()
			c.NextTry = &next
		}
		v.Callbacks = append(v.Callbacks, c)
	}
	return v
}

// ForClient is the job without the evidence of attempts in doubt: that shows other documents of the register, perhaps
// other merchants' receipts, and the daemon's talk with it. It is for people, not for an integration. j stays as it is.
func ForClient(j fiscal.Job) fiscal.Job {
	j.Attempts = slices.Clone(j.Attempts)
	for i := range j.Attempts {
		j.Attempts[i].Evidence = nil
	}
	return j
}

// Body is what a callback sends: the job as GET /receipts/{id} shows it to its integration.
func Body(j fiscal.Job) ([]byte, error) {
	b, err := json.Marshal(Render(ForClient(j)))
	if err != nil {
		return nil, fmt.Errorf("job %s: %w", j.ID, err)
	}
	return b, nil
}
