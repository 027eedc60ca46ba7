package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frpoold/fiscal"
)

// Submission is a receipt as it comes through a door, already checked.
type Submission struct {
	Circuit     fiscal.CircuitID
	Integration fiscal.IntegrationID
	ExternalID  string
	Digest      string // of the content, after decoding and defaults
	CallbackURL string
	Receipt     fiscal.Receipt
	Deadline    time.Time // zero takes the default
}

// Submit makes a job durable and queues it. The same external id with the same content answers with the job there is and
// created false. Its errors are *fiscal.UserError: external_id_conflict, queue_full, no_such_tax_system and its like,
// store_failed, shutting_down. After an error nothing was stored.
func (d *Dispatcher) Submit(ctx context.Context, s Submission) (job fiscal.Job, created bool, err error) {
	needs := s.Receipt.Needs()
	if err := d.admit(s.Circuit, needs); err != nil {
		// A repeat is answered, whatever is turned away just now: a shop that reads "failed" sells again under a new id.
		if known, found := d.known(s); found {
			return d.repeated(known, s)
		}
		return fiscal.Job{}, false, err
	}
	now := d.opts.Now()
	job = fiscal.Job{
		ID: d.newID(now), Circuit: s.Circuit, Integration: s.Integration, ExternalID: s.ExternalID, Digest: s.Digest,
		State: fiscal.JobQueued, Operation: s.Receipt.Operation, Total: s.Receipt.Total(), Needs: needs,
		CallbackURL: s.CallbackURL, CreatedAt: now, UpdatedAt: now, Deadline: s.Deadline,
	}
	if job.Deadline.IsZero() {
		job.Deadline = now.Add(d.opts.Deadline)
	}
	// The client's going away must not leave it open whether the job is stored: the write is finished either way.
	stored, created, err := d.journal.Accept(context.WithoutCancel(ctx), job, s.Receipt)
	if err != nil {
		d.post(func() { d.unreserve(s.Circuit) })
		if errors.As(err, new(*fiscal.UserError)) {
			return fiscal.Job{}, false, err
		}
		d.opts.Log.Error("a receipt could not be stored", "circuit", uint64(s.Circuit), "error", err)
		return fiscal.Job{}, false, &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "store_failed", RetryAfter: 10,
			Message: "the receipt could not be stored and was not accepted: the daemon's disk may be full; send it again"}
	}
	if !created {
		d.post(func() { d.unreserve(s.Circuit) })
		return d.repeated(stored, s)
	}
	d.metrics.accepted.WithLabelValues(label(job.Circuit)).Inc()
	if err := d.call(func() { d.enqueue(&entry{job: stored, stored: fiscal.JobQueued}) }); err != nil {
		// Stopped between the write and the queue: it is durable, and the next start finds it.
		return stored, true, nil //nolint:nilerr // the job is accepted
	}
	return stored, true, nil
}

// admit says whether a new job may be made, and takes a place in the queues for it.
func (d *Dispatcher) admit(c fiscal.CircuitID, n fiscal.Needs) error {
	if err := d.possible(c, n); err != nil {
		return err
	}
	return d.reserve(c)
}

func (d *Dispatcher) known(s Submission) (fiscal.Job, bool) {
	job, found, err := d.journal.Known(s.Integration, s.ExternalID)
	return job, found && err == nil
}

// repeated answers a submission whose external id is known.
func (d *Dispatcher) repeated(stored fiscal.Job, s Submission) (fiscal.Job, bool, error) {
	if stored.Digest != s.Digest {
		return fiscal.Job{}, false, &fiscal.UserError{Class: fiscal.ClassConflict, Code: "external_id_conflict",
			Message: fmt.Sprintf("external_id %q was used for another receipt, or one with another callback_url: a new receipt needs a new one", s.ExternalID),
			Details: map[string]any{"id": stored.ID}}
	}
	live, err := d.Job(stored.ID)
	return live, false, err
}

func (d *Dispatcher) newID(now time.Time) fiscal.JobID {
	d.idMu.Lock()
	defer d.idMu.Unlock()
	return d.ids.next(now)
}

// possible refuses a receipt that no register of the circuit can ever make. Devices whose registration is not known yet
// leave it open.
func (d *Dispatcher) possible(c fiscal.CircuitID, n fiscal.Needs) error {
	for _, v := range d.fleet.Views(c) {
		if v.Identity != nil && len(unfit(v.Identity, n)) == 0 {
			return nil
		}
	}
	known, unknown, err := d.roster.Registered(c)
	if err != nil {
		return fmt.Errorf("reading the circuit's devices: %w", err)
	}
	if unknown > 0 || len(known) == 0 {
		return nil
	}
	var nearest fiscal.Failure // what the register that comes nearest lacks, or the message would deny what another has
	for i := range known {
		bad := unfit(&known[i], n)
		if len(bad) == 0 {
			return nil
		}
		if slices.Index(unfitOrder, bad[0].Code) > slices.Index(unfitOrder, nearest.Code) {
			nearest = bad[0]
		}
	}
	message := map[string]string{
		"no_such_tax_system": fmt.Sprintf("no register of the circuit is registered for tax system %s", n.TaxSystem),
		"no_such_vat_rate":   fmt.Sprintf("no register of the circuit with tax system %s has a firmware that knows every VAT rate of the receipt", n.TaxSystem),
		"no_such_agent":      fmt.Sprintf("no register of the circuit with tax system %s is registered for the receipt's kind of agent", n.TaxSystem),
	}[nearest.Code]
	return &fiscal.UserError{Class: fiscal.ClassContent, Code: nearest.Code, Message: message,
		Details: map[string]any{"errors": []fiscal.ContentError{{Path: pathOf(nearest.Code), Code: nearest.Code, Message: message}}}}
}

func pathOf(code string) string {
	switch code {
	case "no_such_vat_rate":
		return "items"
	case "no_such_agent":
		return "agent_info"
	default:
		return "tax_system"
	}
}

// reserve takes a place in the queues, or says when there may be one.
func (d *Dispatcher) reserve(c fiscal.CircuitID) error {
	var full error
	err := d.call(func() {
		waiting := d.pending[c]
		if q, ok := d.queues[c]; ok {
			waiting += q.count
		}
		switch {
		case d.closed:
			full = errStopped
		case waiting >= d.opts.PerCircuit || d.total >= d.opts.Total:
			full = &fiscal.UserError{Class: fiscal.ClassTooMany, Code: "queue_full", RetryAfter: d.drainTime(c, waiting),
				Message: fmt.Sprintf("%d receipts of this circuit wait already: send again later", waiting)}
		default:
			d.pending[c]++
			d.total++
		}
	})
	if err != nil {
		return err
	}
	return full
}

// drainTime is an honest guess, in seconds, of when a tenth of the queue will be gone.
func (d *Dispatcher) drainTime(c fiscal.CircuitID, waiting int) int {
	var perSecond float64
	for _, v := range d.fleet.Views(c) {
		if v.Ready() && v.Service > 0 {
			perSecond += 1 / v.Service.Seconds()
		}
	}
	if perSecond == 0 {
		return 60
	}
	return min(max(int(float64(waiting)/10/perSecond), 1), 600)
}

func (d *Dispatcher) unreserve(c fiscal.CircuitID) {
	if d.pending[c]--; d.pending[c] <= 0 {
		delete(d.pending, c)
	}
	d.total--
}

// enqueue turns a reserved place into a waiting job.
func (d *Dispatcher) enqueue(e *entry) {
	d.unreserve(e.job.Circuit)
	d.jobs[e.job.ID] = e
	d.wait(e, false)
}

// wait puts a queued job into its line and tries to assign.
func (d *Dispatcher) wait(e *entry, front bool) {
	d.queue(e.job.Circuit).add(e, front)
	d.total++
	d.assign(e.job.Circuit)
}

// dequeue takes a waiting job out of its line.
func (d *Dispatcher) dequeue(e *entry) {
	if d.queue(e.job.Circuit).remove(e) {
		d.total--
	}
}

// whyWaiting says what keeps a job from being made right now.
func (d *Dispatcher) whyWaiting(j *fiscal.Job) string {
	views := d.fleet.Views(j.Circuit)
	if len(views) == 0 {
		return "no device of the circuit is active"
	}
	reasons := map[string]int{}
	for _, v := range views {
		switch {
		case !v.Ready():
			reasons[string(v.Gates[0].Code)]++
		case len(unfit(v.Identity, j.Needs)) > 0:
			reasons[unfit(v.Identity, j.Needs)[0].Code]++
		default:
			reasons["at work"]++
		}
	}
	parts := make([]string, 0, len(reasons))
	for why, n := range reasons {
		parts = append(parts, fmt.Sprintf("%d %s", n, why))
	}
	return fmt.Sprintf("of %d devices: %s", len(views), strings.Join(parts, ", "))
}
