package dispatcher

import (
	"context"
	"fmt"
	"slices"
	"time"

	"frpoold/fiscal"
	"frpoold/pool"
)

// Resolution is an operator's word on a job that could not be settled.
type Resolution struct {
	Made   bool             // a document exists
	FD     fiscal.DocNumber // its number, when made
	Reason string
}

// settlingTime is how long a register may be away before a person's word counts in its place: a reboot is no reason to guess.
const settlingTime = 10 * time.Minute

// resolveLook bounds how long the device is asked whether it agrees.
const resolveLook = 5 * time.Second

// Cancel takes back a job that still waits. Its errors are *fiscal.UserError: receipt_not_found, receipt_not_queued.
func (d *Dispatcher) Cancel(ctx context.Context, id fiscal.JobID) (fiscal.Job, error) {
	ch := make(chan struct{})
	var refusal error
	err := d.call(func() {
		e, ok := d.jobs[id]
		if !ok || e.job.State != fiscal.JobQueued || e.busy {
			refusal = d.notQueued(id, e)
			return
		}
		d.dequeue(e)
		job := e.job
		job.State, job.UpdatedAt = fiscal.JobCanceled, d.opts.Now()
		e.notify = append(e.notify, ch)
		d.persist(e, job)
	})
	if err != nil {
		return fiscal.Job{}, err
	}
	if refusal != nil {
		return fiscal.Job{}, refusal
	}
	select {
	case <-ch:
		return d.Job(id)
	case <-ctx.Done():
		return fiscal.Job{}, context.Cause(ctx)
	case <-d.loop:
		return fiscal.Job{}, errStopped
	}
}

// notQueued says why a job cannot be taken back. It runs in the loop.
func (d *Dispatcher) notQueued(id fiscal.JobID, e *entry) error {
	var state fiscal.JobState
	if e != nil {
		state = e.job.State
	} else {
		job, err := d.stored(id)
		if err != nil {
			return err
		}
		state = job.State
	}
	return &fiscal.UserError{Class: fiscal.ClassConflict, Code: "receipt_not_queued", Details: map[string]any{"status": state},
		Message: fmt.Sprintf("the receipt is %s: only one that still waits can be canceled", state)}
}

// Resolve ends a job in doubt by an operator's word, which is kept in the audit log and on the attempt. While the device
// can be asked, a word that contradicts its archive is refused. The same word again answers with the job as it is.
func (d *Dispatcher) Resolve(ctx context.Context, by string, id fiscal.JobID, r Resolution) (fiscal.Job, error) {
	job, err := d.Job(id)
	if err != nil {
		return fiscal.Job{}, err
	}
	if job.State != fiscal.JobOperator && job.State != fiscal.JobInDoubt {
		if sameWord(&job, r) {
			return job, nil
		}
		return fiscal.Job{}, notResolvable(job.State)
	}
	doc, identity, err := d.confirm(ctx, &job, r)
	if err != nil {
		return fiscal.Job{}, err
	}
	if err := d.opts.Audit(fiscal.AuditEntry{At: d.opts.Now(), Actor: by, Action: "receipt.resolve", Target: string(id), Reason: r.Reason,
		Detail: fmt.Sprintf("%s (attempt on %s of %s)", r, job.Last().Device, job.Last().StartedAt.UTC().Format(time.RFC3339))}); err != nil {
		return fiscal.Job{}, fmt.Errorf("writing the audit log: %w", err)
	}
	ch := make(chan struct{})
	var refusal error
	if err := d.call(func() { refusal = d.resolve(by, job.Last(), id, r, doc, identity, ch) }); err != nil {
		return fiscal.Job{}, err
	}
	if refusal != nil {
		return fiscal.Job{}, refusal
	}
	select {
	case <-ch:
		return d.Job(id)
	case <-ctx.Done():
		return fiscal.Job{}, context.Cause(ctx)
	case <-d.loop:
		return fiscal.Job{}, errStopped
	}
}

// String is the word as the audit log keeps it.
func (r Resolution) String() string {
	if r.Made {
		return fmt.Sprintf("made, document %d", r.FD)
	}
	return "not made"
}

func sameWord(j *fiscal.Job, r Resolution) bool {
	if r.Made {
		return j.State == fiscal.JobMade && j.Fiscal.FD == r.FD
	}
	return j.State == fiscal.JobRefused && j.Failure != nil && j.Failure.Code == codeNotMade
}

const codeNotMade = "resolved_not_made"

func notResolvable(s fiscal.JobState) error {
	return &fiscal.UserError{Class: fiscal.ClassConflict, Code: "receipt_not_in_doubt", Details: map[string]any{"status": s},
		Message: fmt.Sprintf("the receipt is %s: only one in doubt, or waiting for an operator, can be resolved", s)}
}

// confirm asks the device whether the operator is right. A device that cannot be asked has no say. It returns the
// document the operator named, when the archive has it.
func (d *Dispatcher) confirm(ctx context.Context, job *fiscal.Job, r Resolution) (*fiscal.Document, fiscal.Identity, error) {
	b := job.Last().Baseline
	if r.Made && r.FD <= b.LastFD {
		return nil, fiscal.Identity{}, contradicts("document %d was made before the receipt was sent: the last one then was %d", r.FD, b.LastFD)
	}
	if r.Made && r.FD > fiscal.FNCapacity {
		return nil, fiscal.Identity{}, contradicts("there is no document %d: a storage signs at most %d", r.FD, fiscal.FNCapacity)
	}
	ctx, cancel := context.WithTimeout(ctx, resolveLook)
	defer cancel()
	f, err := d.fleet.Look(ctx, job.Last().Device, *b, func(doc fiscal.Document) bool { return r.Made && doc.Number == r.FD })
	if err != nil && job.State == fiscal.JobInDoubt && d.opts.Now().Sub(job.Last().EndedAt) < settlingTime {
		return nil, fiscal.Identity{}, &fiscal.UserError{Class: fiscal.ClassConflict, Code: "still_settling",
			Message: fmt.Sprintf("the register does not answer right now and is asked again by itself: a person's word is taken once it has been silent for %s", settlingTime)}
	}
	if err != nil || f.After.FN != b.FN {
		return nil, fiscal.Identity{}, nil // nobody to contradict
	}
	if !r.Made {
		if v := judge(job, &f); v.verdict == made {
			return nil, fiscal.Identity{}, contradicts("the archive has the receipt: %s", v.reason)
		}
		return nil, f.Identity, nil
	}
	if r.FD > f.After.Last {
		return nil, fiscal.Identity{}, contradicts("there is no document %d: the last one is %d", r.FD, f.After.Last)
	}
	at := slices.IndexFunc(f.Documents, func(doc fiscal.Document) bool { return doc.Number == r.FD })
	if at < 0 {
		return nil, f.Identity, nil
	}
	doc := f.Documents[at]
	if !agrees(job, doc) {
		return nil, fiscal.Identity{}, contradicts("document %d is a %s, %s of %s; the receipt is a %s of %s", doc.Number, doc.Kind, doc.Operation, doc.Total, job.Operation, job.Total)
	}
	if doc.Full && !carries(b, doc) && !markless(b, doc) {
		return nil, fiscal.Identity{}, contradicts("document %d carries the marks of another receipt", doc.Number)
	}
	return &doc, f.Identity, nil
}

func contradicts(format string, args ...any) error {
	return &fiscal.UserError{Class: fiscal.ClassConflict, Code: "contradicts_archive", Message: fmt.Sprintf(format, args...)}
}

// resolve runs in the loop. The word was checked against the attempt asked; about another one it says nothing.
func (d *Dispatcher) resolve(by string, asked *fiscal.Attempt, id fiscal.JobID, r Resolution, doc *fiscal.Document, identity fiscal.Identity, ch chan struct{}) error {
	e, ok := d.jobs[id]
	if !ok || e.busy || e.job.State != fiscal.JobOperator && e.job.State != fiscal.JobInDoubt {
		return &fiscal.UserError{Class: fiscal.ClassConflict, Code: "receipt_not_in_doubt", Message: "the receipt was settled in this very moment: look at it again"}
	}
	if now := e.job.Last(); now.Device != asked.Device || !now.StartedAt.Equal(asked.StartedAt) {
		return &fiscal.UserError{Class: fiscal.ClassConflict, Code: "receipt_moved_on",
			Message: fmt.Sprintf("the receipt was proved absent on %s and is in doubt on %s now: look at it again", asked.Device, now.Device)}
	}
	job := e.job
	job.UpdatedAt = d.opts.Now()
	job.Attempts = slices.Clone(job.Attempts)
	a := job.Last()
	a.Result = fmt.Sprintf("resolved by %s: %s", by, r)
	if r.Made {
		job.State, job.Failure = fiscal.JobMade, nil
		job.Fiscal = d.resolvedData(&job, r, doc, identity)
	} else {
		job.State = fiscal.JobRefused
		job.Failure = &fiscal.Failure{Code: codeNotMade, Message: "an operator found that no document was made"}
	}
	e.notify = append(e.notify, ch)
	device := a.Device
	d.persistThen(e, job, func() { d.release(e, device) })
	return nil
}

// resolvedData is what is known of a document that an operator vouches for: all of it when the archive shows it, else the
// numbers the operator can read on paper or at the OFD.
func (d *Dispatcher) resolvedData(j *fiscal.Job, r Resolution, doc *fiscal.Document, id fiscal.Identity) *fiscal.FiscalData {
	b := j.Last().Baseline
	if doc != nil {
		data := fiscal.NewFiscalData(*doc, id, j.Last().Device, d.roster.Zone(j.Circuit))
		return &data
	}
	return &fiscal.FiscalData{FN: b.FN, FD: r.FD, Total: j.Total, SN: b.Serial, EIP: j.Last().Device}
}

var _ Fleet = (*pool.Pool)(nil)
