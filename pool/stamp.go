package pool

import (
	"context"
	"errors"

	"frpoold/fiscal"
)

// stampTrial is whether a register keeps a kind of stamp in its archive. No public document promises it, and settling by
// the absence of a stamp would make a receipt twice on a register that drops it. So the first receipt with each kind of
// stamp on each FN is read back once.
type stampTrial struct {
	wanted bool // to be read back
	stamp  fiscal.Stamp
	number fiscal.DocNumber
	done   bool
	proven bool
}

// wantStampTrial notes a receipt that was just made for the trial.
func (w *worker) wantStampTrial(b fiscal.Baseline, n fiscal.DocNumber) {
	if t := w.stamps[b.Stamp.Tag]; b.Stamp.Tag != fiscal.StampNone && !t.done {
		w.stamps[b.Stamp.Tag] = stampTrial{wanted: true, stamp: b.Stamp, number: n}
	}
}

// tryStamp reads back what wantStampTrial noted, when nobody waits for the answer any more. A line that fails leaves it to
// the next receipt.
func (w *worker) tryStamp() {
	for tag, t := range w.stamps {
		if !t.wanted || w.dev == nil {
			continue
		}
		nothing := func() fiscal.Effect { return fiscal.Nothing }
		var doc fiscal.Document
		err := w.guard(nothing, func() (err error) {
			ctx, cancel := context.WithTimeout(context.Background(), commitLimit)
			defer cancel()
			doc, err = w.dev.Document(ctx, t.number)
			return err
		})
		if lineFailed(err) {
			w.stamps[tag] = stampTrial{}
			w.closeSession(w.atDevice(err))
			w.publish()
			return
		}
		proven := err == nil && doc.Full && t.stamp.On(doc.Marks)
		w.stamps[tag] = stampTrial{done: true, proven: proven}
		if !proven {
			w.log.Error("the register does not keep the receipt's stamp in its archive: a receipt in doubt on it may need a person",
				"tag", uint16(tag), "fd", uint32(t.number))
		}
	}
}

// lineFailed tells a question that could not be put from one that the register answered with no.
func lineFailed(err error) bool {
	if err == nil || errors.Is(err, fiscal.ErrNoDocument) {
		return false
	}
	k := fiscal.KindOf(err)
	return k != fiscal.Refused && k != fiscal.Attention
}
