package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"frpoold/fiscal"
	"frpoold/pool"
)

// assign gives waiting jobs of a circuit to its idle devices.
func (d *Dispatcher) assign(c fiscal.CircuitID) {
	q, ok := d.queues[c]
	if !ok || d.closed {
		return
	}
	if q.count == 0 {
		delete(d.queues, c)
		return
	}
	idle := slices.DeleteFunc(d.fleet.Views(c), func(v *fiscal.DeviceView) bool {
		_, working := d.at[v.ID]
		return working || !v.Ready() || v.Identity == nil
	})
	now := d.opts.Now()
	for len(idle) > 0 && q.count > 0 {
		var chosen *fiscal.DeviceView
		var reason string
		e, found := q.take(now, func(e *entry) bool {
			chosen, reason, ok = choose(idle, e.job.Needs, e.avoid)
			if !ok && len(e.avoid) > 0 && !d.othersFit(e) {
				// Every device that could make it has failed once: the first round is over, all may try again.
				e.avoid = nil
				chosen, reason, ok = choose(idle, e.job.Needs, nil)
			}
			return ok
		})
		if !found {
			return
		}
		d.total--
		idle = slices.DeleteFunc(idle, func(v *fiscal.DeviceView) bool { return v == chosen })
		d.begin(e, chosen.ID, reason)
	}
}

// othersFit reports that an active device could make the job that has not failed it, ready now or not.
func (d *Dispatcher) othersFit(e *entry) bool {
	for _, v := range d.fleet.Views(e.job.Circuit) {
		if _, bad := e.avoid[v.ID]; !bad && v.Identity != nil && v.Ready() && len(unfit(v.Identity, e.job.Needs)) == 0 {
			return true
		}
	}
	return false
}

// maxAttempts bounds how many attempts a record keeps. The first few and the latest tell the story of a job that was
// turned down by many devices for a day.
const maxAttempts = 20

// begin starts an attempt in a goroutine of its own.
func (d *Dispatcher) begin(e *entry, id fiscal.DeviceID, reason string) {
	e.advance(fiscal.JobAssigned)
	// Readers hold the old slice: a new one is made, never changed in place.
	attempts := slices.Clone(e.job.Attempts)
	if len(attempts) >= maxAttempts {
		attempts = slices.Delete(attempts, maxAttempts/2, maxAttempts/2+1)
	}
	e.job.Attempts = append(attempts, fiscal.Attempt{Device: id, Reason: reason, StartedAt: d.opts.Now()})
	d.at[id] = e
	job := e.job.ID
	d.tasks.Go(func() {
		out := d.attempt(e, job, id)
		d.post(func() { d.finish(e, id, out) })
	})
}

// attempt runs outside the loop.
func (d *Dispatcher) attempt(e *entry, job fiscal.JobID, id fiscal.DeviceID) pool.Outcome {
	receipt, err := d.journal.Receipt(job)
	if err != nil {
		return pool.Outcome{Err: &fiscal.Error{Op: "dispatcher.attempt", Device: id, Kind: fiscal.Internal, Effect: fiscal.Nothing, Err: err}}
	}
	return d.fleet.Register(d.ctx, id, pool.Receipt{
		Job:     job,
		Receipt: receipt,
		Begin:   func(b fiscal.Baseline) error { return d.sending(e, b) },
	})
}

// sending makes the baseline durable (design.md §5.1). It is called by the worker, which waits for it.
func (d *Dispatcher) sending(e *entry, b fiscal.Baseline) error {
	var durable <-chan error
	var ahead <-chan struct{}
	err := d.call(func() {
		job := e.job
		job.Attempts = slices.Clone(job.Attempts)
		job.Last().Baseline = &b
		ahead = d.ends[job.Last().Device]
		job.State, job.UpdatedAt = fiscal.JobSending, d.opts.Now()
		durable = d.journal.Advance(e.stored, job)
		e.advance(fiscal.JobSending)
		e.job = job
	})
	if err != nil {
		return err
	}
	if err := <-durable; err != nil {
		// The record is not known to be on disk, so nothing will be sent: the job is where it was.
		d.post(func() {
			e.learn(err)
			e.unsure = true
			e.job.Attempts = slices.Clone(e.job.Attempts)
			e.job.Last().Baseline = nil
		})
		return err
	}
	d.post(func() { e.stored = fiscal.JobSending })
	if ahead == nil {
		return nil
	}
	// The end of the device's previous job was written before this record, unless the disk refused it and takes it later.
	// Until then that job is not settled on disk, and nothing is sent.
	select {
	case <-ahead:
		return nil
	case <-d.ctx.Done():
		return context.Cause(d.ctx)
	}
}

// finish takes the outcome of an attempt. The device is free for the next job as soon as the write that ends this one has
// its place in the journal's order.
func (d *Dispatcher) finish(e *entry, id fiscal.DeviceID, out pool.Outcome) {
	now := d.opts.Now()
	job := e.job
	job.UpdatedAt = now
	job.Attempts = slices.Clone(job.Attempts)
	a := job.Last()
	a.EndedAt = now
	effect := fiscal.Done
	if out.Err != nil {
		effect = fiscal.EffectOf(out.Err)
		a.Kind, a.Effect, a.Code = fiscal.KindOf(out.Err), effect, fiscal.CodeOf(out.Err)
		a.Result = out.Err.Error()
	}
	log := d.opts.Log.With("job", string(job.ID), "device", string(id), "circuit", uint64(job.Circuit))
	delete(d.at, id)
	switch {
	case out.Err == nil:
		a.Result = fmt.Sprintf("made document %d", out.Document.Number)
		job.State = fiscal.JobMade
		data := fiscal.NewFiscalData(*out.Document, out.Identity, id, d.roster.Zone(job.Circuit))
		job.Fiscal = &data
		log.Info("receipt made", "fd", uint32(data.FD), "took", now.Sub(a.StartedAt).String())
		d.persistEnd(e, job, id)
	case effect != fiscal.Nothing:
		job.State = fiscal.JobInDoubt
		a.Evidence = &fiscal.Evidence{Verdict: "the device is being asked", Exchanges: out.Exchanges}
		d.metrics.inDoubt.WithLabelValues(string(id)).Inc()
		d.persistEnd(e, job, id)
	case a.Kind == fiscal.Invalid || a.Kind == fiscal.Refused:
		job.State = fiscal.JobRefused
		job.Failure = &fiscal.Failure{Code: "refused_by_device", Message: out.Err.Error()}
		log.Info("receipt refused", "error", out.Err)
		d.persistEnd(e, job, id)
	default:
		log.Warn("the device could not take the receipt", "error", out.Err)
		d.again(e, job, id, out.Err)
	}
	d.assign(job.Circuit)
	d.checkIdle()
}

// again puts a job back that certainly made no document.
func (d *Dispatcher) again(e *entry, job fiscal.Job, id fiscal.DeviceID, cause error) {
	if _, twice := e.expired[id]; errors.Is(cause, fiscal.ErrShiftExpired) && !twice {
		// That device renews its shift and may have it next.
		e.expired = with(e.expired, id)
	} else {
		d.setBack(e, id)
	}
	job.State = fiscal.JobQueued
	if e.stored == fiscal.JobQueued {
		e.advance(fiscal.JobQueued)
		e.job = job
		if !e.unsure {
			d.waitAgain(e)
			return
		}
		// The record of this attempt could not be written, and may be on disk all the same. The device's next job must
		// not be sent before this one is known to have left it.
	}
	e.unsure = false
	d.persistEnd(e, job, id)
}

// setBack keeps a job from a device that failed it while another one may do better. When every device that is ready has
// failed it, the round is over: all may try again, after a pause that grows with the rounds, behind those who wait. So a
// receipt that no register takes costs the others little.
func (d *Dispatcher) setBack(e *entry, id fiscal.DeviceID) {
	e.avoid = with(e.avoid, id)
	if d.othersFit(e) {
		return
	}
	e.avoid = nil
	e.pause = min(roundPause<<min(e.rounds, 16), roundPauseMax)
	e.rounds++
}

const (
	roundPause    = 250 * time.Millisecond
	roundPauseMax = time.Minute
)

// with is a set and one more; the old one is not changed.
func with(set map[fiscal.DeviceID]struct{}, id fiscal.DeviceID) map[fiscal.DeviceID]struct{} {
	out := map[fiscal.DeviceID]struct{}{id: {}}
	for other := range set {
		out[other] = struct{}{}
	}
	return out
}

// waitAgain puts a job back at the front of its line, or, when it has to pause, at the end. After a fault of our own (a full
// disk, a record that cannot be read) it pauses a moment in any case, so that the fault does not spin.
func (d *Dispatcher) waitAgain(e *entry) {
	pause := e.pause
	e.pause = 0
	if a := e.job.Last(); a != nil && a.Kind == fiscal.Internal {
		pause = max(pause, internalPause)
	}
	if pause > 0 {
		e.notBefore = d.opts.Now().Add(pause)
		c := e.job.Circuit
		time.AfterFunc(pause, func() { d.post(func() { d.assign(c) }) })
	}
	d.wait(e, pause == 0)
}

const internalPause = time.Second

// persistEnd is persist for the write that ends a job's stay on a device.
func (d *Dispatcher) persistEnd(e *entry, job fiscal.Job, id fiscal.DeviceID) {
	e.ended, e.before = make(chan struct{}), d.ends[id]
	d.ends[id] = e.ended
	d.persist(e, job)
}

// persist writes a job's new state and lets it take effect when the write is durable. Until then clients see the old
// state, and nobody else decides about the job.
func (d *Dispatcher) persist(e *entry, job fiscal.Job) {
	e.busy = true
	ended, before := e.ended, e.before
	e.ended, e.before = nil, nil
	from := e.stored
	durable := d.journal.Advance(from, job)
	d.tasks.Go(func() {
		for wait := persistRetryMin; ; wait = min(2*wait, persistRetryMax) {
			err := <-durable
			if err == nil || storedAs(err, job.State) {
				d.post(func() { d.settled(e, job) })
				if ended == nil {
					return
				}
				if before != nil { // the one before it on this device may still wait for the disk
					select {
					case <-before:
					case <-d.ctx.Done():
						return
					}
				}
				close(ended)
				return
			}
			// The disk may be full. The job stays where it is on disk, which after a crash means: ask the device.
			d.opts.Log.Error("a job's state could not be stored, trying again", "job", string(job.ID), "state", job.State.String(), "error", err)
			select {
			case <-time.After(wait):
			case <-d.ctx.Done():
				d.post(func() { e.busy = false; d.checkIdle() })
				return
			}
			if m, ok := errors.AsType[mismatch](err); ok {
				from = m.Stored()
			}
			durable = d.journal.Advance(from, job)
		}
	})
}

const (
	persistRetryMin = 100 * time.Millisecond
	persistRetryMax = 5 * time.Second
)

// settled takes over a state that is now durable.
func (d *Dispatcher) settled(e *entry, job fiscal.Job) {
	e.busy = false
	if e.job.State != job.State {
		e.advance(job.State)
	}
	e.job, e.stored = job, job.State
	if then := e.then; then != nil {
		e.then = nil
		then()
	}
	switch {
	case job.State == fiscal.JobQueued:
		d.waitAgain(e)
	case job.State == fiscal.JobInDoubt:
		d.publish(e)
		d.settleLater(e)
	case job.State.AtRest():
		d.publish(e)
		d.rest(e)
	}
	d.checkIdle()
}

// rest tells those who wait, and forgets a job that is over.
func (d *Dispatcher) rest(e *entry) {
	for _, ch := range e.notify {
		close(ch)
	}
	e.notify = nil
	if e.job.State.Final() {
		delete(d.jobs, e.job.ID)
		d.metrics.finished(&e.job, d.opts.Now())
	}
}

func (d *Dispatcher) publish(e *entry) {
	job := e.job
	d.opts.Publish(fiscal.Event{At: d.opts.Now(), Type: fiscal.EventJob, Job: &job, Circuit: job.Circuit})
}
