package dispatcher

import (
	"context"
	"time"

	"frpoold/fiscal"
)

// Job is a job as it is now: from the loop while it is not at rest, from the journal afterwards.
// An unknown id is a *fiscal.UserError receipt_not_found.
func (d *Dispatcher) Job(id fiscal.JobID) (fiscal.Job, error) {
	var job fiscal.Job
	live := false
	if err := d.call(func() {
		if e, ok := d.jobs[id]; ok {
			job, live = e.job, true
		}
	}); err == nil && live {
		return job, nil
	}
	return d.stored(id)
}

func (d *Dispatcher) stored(id fiscal.JobID) (fiscal.Job, error) {
	job, err := d.journal.Job(id)
	if err != nil {
		return fiscal.Job{}, err
	}
	return job, nil
}

// Live overlays what the loop knows on jobs read from the journal: the state "assigned" and the attempt in work.
func (d *Dispatcher) Live(page []fiscal.Job) {
	_ = d.call(func() {
		for i := range page {
			if e, ok := d.jobs[page[i].ID]; ok {
				page[i] = e.job
			}
		}
	})
}

// Wait is Job, held back until the job is at rest, limit has passed or ctx is done.
func (d *Dispatcher) Wait(ctx context.Context, id fiscal.JobID, limit time.Duration) (fiscal.Job, error) {
	ch := make(chan struct{})
	waiting := false
	err := d.call(func() {
		if e, ok := d.jobs[id]; ok && !e.job.State.AtRest() {
			e.notify = append(e.notify, ch)
			waiting = true
		}
	})
	if err == nil && waiting {
		timer := time.NewTimer(limit)
		defer timer.Stop()
		select {
		case <-ch:
		case <-timer.C:
		case <-ctx.Done():
		case <-d.loop:
		}
		d.post(func() { d.forget(id, ch) })
	}
	return d.Job(id)
}

// forget drops a waiter that gave up.
func (d *Dispatcher) forget(id fiscal.JobID, ch chan struct{}) {
	e, ok := d.jobs[id]
	if !ok {
		return
	}
	for i, c := range e.notify {
		if c == ch {
			e.notify = append(e.notify[:i:i], e.notify[i+1:]...)
			return
		}
	}
}

// Queued is how many jobs of a circuit wait for a device.
func (d *Dispatcher) Queued(c fiscal.CircuitID) int {
	n := 0
	_ = d.call(func() {
		if q, ok := d.queues[c]; ok {
			n = q.count
		}
	})
	return n
}
