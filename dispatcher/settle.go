package dispatcher

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"frpoold/fiscal"
	"frpoold/pool"
)

// verdict is what findings prove about a job in doubt.
type verdict uint8

const (
	undecided verdict = iota // a person must look; the zero value is the careful one
	made
	absent
)

// String is the label of the metric.
func (v verdict) String() string {
	switch v {
	case made:
		return "made"
	case absent:
		return "absent"
	case undecided:
		return "undecided"
	}
	return "undecided"
}

// judgement is a verdict with its document and its reason in one sentence.
type judgement struct {
	verdict verdict
	found   *fiscal.Document
	reason  string
}

// judge decides what became of a job, from its durable record and the archive of the same FN. It is pure.
//
//	FN is another one                                     undecided
//	number below the baseline                             undecided
//	number at the baseline, nothing open                  absent
//	a document after it carries our stamp and agrees      made
//	a document carries our stamp and disagrees            undecided
//	all documents after it read, none carries our stamp   absent
//	one could not be read and may be ours, or is of
//	    another FN, or of a form nobody knows             undecided
//	one agrees in type and total and has nothing where the
//	    stamp would be, and the register was not seen to
//	    keep stamps                                       undecided
//	no stamp was possible (the client filled both tags):
//	    exactly one document agrees in marks, sum, type   made
//	    none does, all read                               absent
//	    several do                                        undecided
func judge(j *fiscal.Job, f *pool.Findings) judgement {
	b := j.Last().Baseline
	switch {
	case f.After.FN != b.FN:
		return judgement{reason: fmt.Sprintf("FN %s is in the register now, the receipt was sent to %s", f.After.FN, b.FN)}
	case f.After.Last < b.LastFD:
		return judgement{reason: fmt.Sprintf("the last document is %d, it was %d before the receipt was sent", f.After.Last, b.LastFD)}
	case f.After.Open != 0:
		return judgement{reason: "a document is still open after it was cancelled"}
	case f.After.Last == b.LastFD:
		return judgement{verdict: absent, reason: fmt.Sprintf("the last document is still %d: nothing was made", b.LastFD)}
	}
	var ours []fiscal.Document
	unsure := slices.Clone(f.Unreadable)
	for _, doc := range f.Documents {
		switch {
		case doc.Full && carries(b, doc):
			ours = append(ours, doc) // of whatever kind: a stamp of ours on anything is for a person
		case possiblyOurs(j, doc), !b.Proven && agrees(j, doc) && markless(b, doc), doc.FN != "" && doc.FN != b.FN:
			unsure = append(unsure, doc.Number)
		}
	}
	stamped := b.Stamp.Tag != fiscal.StampNone
	if !stamped {
		ours = slices.DeleteFunc(ours, func(d fiscal.Document) bool { return !agrees(j, d) })
	}
	switch {
	case len(ours) > 1:
		return judgement{reason: fmt.Sprintf("documents %d and %d both look like the receipt", ours[0].Number, ours[1].Number)}
	case len(ours) == 1 && !agrees(j, ours[0]):
		return judgement{found: &ours[0], reason: fmt.Sprintf("document %d carries the receipt's stamp, but is a %s, %s of %s, where the receipt is a %s of %s",
			ours[0].Number, ours[0].Kind, ours[0].Operation, ours[0].Total, j.Operation, j.Total)}
	case len(ours) == 1 && (stamped || len(unsure) == 0):
		return judgement{verdict: made, found: &ours[0], reason: fmt.Sprintf("document %d carries the receipt's marks", ours[0].Number)}
	case len(unsure) > 0:
		return judgement{reason: fmt.Sprintf("document %d may be the receipt, and its content does not say", unsure[0])}
	case uint32(len(f.Documents)) < uint32(f.After.Last-b.LastFD):
		return judgement{reason: fmt.Sprintf("%d documents were made since, too many to be read", f.After.Last-b.LastFD)}
	default:
		return judgement{verdict: absent, reason: fmt.Sprintf("documents %d to %d were all read, and none is the receipt", b.LastFD+1, f.After.Last)}
	}
}

// carries reports that a document is marked as the receipt: by our stamp, or, where there was no room for one, by all of the
// client's marks together.
func carries(b *fiscal.Baseline, d fiscal.Document) bool {
	if b.Stamp.Tag == fiscal.StampNone {
		return d.Marks.Equal(b.Marks)
	}
	return b.Stamp.On(d.Marks)
}

// agrees compares what the short record of a document holds.
func agrees(j *fiscal.Job, d fiscal.Document) bool {
	return isReceipt(d.Kind) && d.Operation == j.Operation && d.Total == j.Total
}

// isReceipt covers registers in BSO mode, whose receipts have a form code of their own.
func isReceipt(k fiscal.DocumentKind) bool { return k == fiscal.KindReceipt || k == fiscal.KindBSO }

// markless reports a document that has nothing where the receipt's stamp would be: it is another one, or the register
// dropped the stamp. A receipt without a stamp is known by all of the client's marks together.
func markless(b *fiscal.Baseline, d fiscal.Document) bool {
	switch b.Stamp.Tag {
	case fiscal.StampCheckProps:
		return d.Marks.CheckProps == ""
	case fiscal.StampUserProps:
		return d.Marks.UserProps == nil
	case fiscal.StampNone:
	}
	return d.Marks == (fiscal.Marks{})
}

// possiblyOurs reports a document whose content is gone and whose short record does not rule it out. Of a form that nobody
// knows, not even the short record says enough.
func possiblyOurs(j *fiscal.Job, d fiscal.Document) bool {
	return !d.Full && (agrees(j, d) || d.Kind.MayBeReceipt() && !isReceipt(d.Kind))
}

// settleLater asks the device in a goroutine of its own until it answers or the daemon stops.
func (d *Dispatcher) settleLater(e *entry) {
	job := e.job // the loop's copy; attempts are never changed in place
	d.tasks.Go(func() {
		b := job.Last().Baseline
		match := func(doc fiscal.Document) bool {
			return doc.Full && b.Stamp.On(doc.Marks)
		}
		for wait := settleRetryMin; ; wait = min(2*wait, d.opts.DoubtRetry) {
			findings, err := d.fleet.Look(d.ctx, job.Last().Device, *b, match)
			if err == nil {
				d.post(func() { d.judged(e, findings) })
				return
			}
			open := false
			if d.call(func() { open = d.stillInDoubt(e, err) }) != nil || !open {
				return
			}
			select {
			case <-time.After(wait):
			case <-d.ctx.Done():
				return
			}
		}
	})
}

const settleRetryMin = 50 * time.Millisecond

// stillInDoubt shows on the job why it is not settled yet, which is not worth a write. It reports whether there is
// anything left to settle: an operator may have been faster.
func (d *Dispatcher) stillInDoubt(e *entry, err error) bool {
	if e.job.State != fiscal.JobInDoubt {
		return false
	}
	if e.busy {
		return true
	}
	e.job.Attempts = slices.Clone(e.job.Attempts)
	a := e.job.Last()
	ev := fiscal.Evidence{}
	if a.Evidence != nil {
		ev = *a.Evidence
	}
	ev.Verdict = fmt.Sprintf("the device could not be asked yet: %v", err)
	a.Evidence = &ev
	return true
}

// judged acts on what a device's archive says.
func (d *Dispatcher) judged(e *entry, f pool.Findings) {
	if e.job.State != fiscal.JobInDoubt || e.busy {
		return // an operator was faster
	}
	verdict := judge(&e.job, &f)
	job := e.job
	job.UpdatedAt = d.opts.Now()
	job.Attempts = slices.Clone(job.Attempts)
	a := job.Last()
	a.Evidence = evidence(a.Evidence, f, verdict)
	d.metrics.settled.WithLabelValues(verdict.verdict.String()).Inc()
	level, said := slog.LevelInfo, "receipt settled"
	if verdict.verdict == undecided {
		level, said = slog.LevelWarn, "receipt needs a person"
	}
	d.opts.Log.Log(d.ctx, level, said, "job", string(job.ID), "device", string(a.Device), "circuit", uint64(job.Circuit),
		"verdict", verdict.verdict.String(), "why", verdict.reason)
	switch verdict.verdict {
	case made:
		job.State = fiscal.JobMade
		a.Result = fmt.Sprintf("settled: %s", verdict.reason)
		data := fiscal.NewFiscalData(*verdict.found, f.Identity, a.Device, d.roster.Zone(job.Circuit))
		job.Fiscal = &data
		d.persistThen(e, job, func() { d.release(e, a.Device) })
	case absent:
		job.State = fiscal.JobQueued
		a.Result = fmt.Sprintf("settled: %s", verdict.reason)
		a.Effect = fiscal.Nothing
		device := a.Device
		d.persistThen(e, job, func() {
			d.release(e, device)
			d.setBack(e, device)
		})
	case undecided:
		job.State = fiscal.JobOperator
		job.Failure = &fiscal.Failure{Code: "needs_operator", Message: verdict.reason + "; say what happened with POST /receipts/" + string(job.ID) + "/resolve"}
		d.persist(e, job)
	}
}

// release frees the device of a job that is settled, or holds it on for another that is not: our own work never leaves two
// jobs in doubt on one device, but a disk may say so after a failed write and a crash.
func (d *Dispatcher) release(settled *entry, id fiscal.DeviceID) {
	for _, e := range d.jobs {
		open := e.job.State == fiscal.JobInDoubt || e.job.State == fiscal.JobOperator
		if open && e != settled && e.job.Last().Device == id {
			d.fleet.Hold(id, e.job.ID)
			return
		}
	}
	d.fleet.Release(id)
}

// evidence adds what was found to what was known.
func evidence(old *fiscal.Evidence, f pool.Findings, v judgement) *fiscal.Evidence {
	out := fiscal.Evidence{After: &f.After, Documents: f.Documents, Found: v.found, Verdict: v.reason}
	if old != nil {
		out.Exchanges = slices.Clone(old.Exchanges)
	}
	out.Exchanges = append(out.Exchanges, f.Exchanges...)
	if n := len(out.Exchanges); n > maxEvidence {
		out.Exchanges = slices.Delete(out.Exchanges, maxEvidence/2, n-maxEvidence/2)
	}
	if n := len(out.Documents); n > maxEvidence {
		out.Documents = out.Documents[n-maxEvidence:]
	}
	return &out
}

// maxEvidence bounds the exchanges and documents kept with an attempt: the first and the last ones.
const maxEvidence = 64

// persistThen is persist with something to do once the state has taken effect.
func (d *Dispatcher) persistThen(e *entry, job fiscal.Job, then func()) {
	e.then = then
	d.persist(e, job)
}
