package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"frpoold/fiscal"
)

// Findings are what a device's archive says since a baseline. They are facts; the verdict is the dispatcher's.
type Findings struct {
	After      fiscal.DocumentRef // read after what hung was cancelled
	Identity   fiscal.Identity
	Documents  []fiscal.Document  // every document after the baseline that could be read, up to the first match
	Unreadable []fiscal.DocNumber // numbers the archive would not show
	Exchanges  []fiscal.Exchange
}

// maxLook bounds how many documents after a baseline are read. A register that made more without us is for a person.
const maxLook = 10_000

// Look reads the archive of a device after baseline, on the same FN, until match accepts a document. It first cancels
// what hangs, so that a commit still on its way can no longer make anything. An error means the device could not be asked.
func (p *Pool) Look(ctx context.Context, id fiscal.DeviceID, b fiscal.Baseline, match func(fiscal.Document) bool) (Findings, error) {
	w, ok := p.worker(id)
	if !ok {
		return Findings{}, &fiscal.Error{Op: "pool.Look", Device: id, Kind: fiscal.Offline, Err: ErrNotEnrolled}
	}
	var f Findings
	var err error
	if submitErr := w.submit(ctx, func() { f, err = w.look(ctx, b, match) }); submitErr != nil {
		return Findings{}, &fiscal.Error{Op: "pool.Look", Device: id, Kind: fiscal.Canceled, Err: submitErr}
	}
	return f, err
}

func (w *worker) look(ctx context.Context, b fiscal.Baseline, match func(fiscal.Document) bool) (Findings, error) {
	if w.ending() {
		return Findings{}, &fiscal.Error{Op: "pool.Look", Device: w.id, Kind: fiscal.Canceled, Err: errors.New("the daemon is stopping")}
	}
	if w.dev == nil {
		w.connect(ctx)
		if w.dev == nil {
			return Findings{}, w.lost
		}
	}
	var f Findings
	unknown := func() fiscal.Effect { return fiscal.Unknown }
	err := w.guard(unknown, func() (err error) {
		f, err = w.readSince(ctx, b, match)
		return err
	})
	f.Exchanges = slices.Clone(w.turn)
	if err != nil {
		err = w.atDevice(err)
		w.closeSession(err)
	}
	return f, err
}

func (w *worker) readSince(ctx context.Context, b fiscal.Baseline, match func(fiscal.Document) bool) (Findings, error) {
	ref, err := w.dev.LastDocument(ctx)
	if err != nil {
		return Findings{}, err
	}
	if ref.Open != 0 {
		if err := w.dev.CancelDocument(ctx); err != nil {
			return Findings{}, fmt.Errorf("cancelling what hangs: %w", err)
		}
		if ref, err = w.dev.LastDocument(ctx); err != nil {
			return Findings{}, err
		}
	}
	f := Findings{After: ref, Identity: *w.identity}
	if ref.FN != b.FN || ref.Last <= b.LastFD || ref.Last-b.LastFD > maxLook {
		return f, nil
	}
	for n := b.LastFD + 1; n <= ref.Last; n++ {
		doc, err := w.readDocument(ctx, n)
		switch {
		case err != nil && w.dev != nil && (!lineFailed(err) || fiscal.KindOf(err) == fiscal.Protocol):
			f.Unreadable = append(f.Unreadable, n)
			continue
		case err != nil:
			return f, err
		}
		f.Documents = append(f.Documents, doc)
		if match(doc) {
			break
		}
	}
	return f, nil
}

// readTries is how often a document is asked for that the register answers with no, or with what nobody understands. After
// that it counts as unreadable: the register is there and will not say more.
const readTries = 3

func (w *worker) readDocument(ctx context.Context, n fiscal.DocNumber) (doc fiscal.Document, err error) {
	for range readTries {
		doc, err = w.dev.Document(ctx, n)
		switch {
		case err == nil, errors.Is(err, fiscal.ErrNoDocument):
			return doc, err
		case fiscal.KindOf(err) == fiscal.Protocol: // what comes next on this line would mean nothing either
			w.closeSession(err)
			if w.connect(ctx); w.dev == nil {
				return doc, w.lost
			}
		case lineFailed(err):
			return doc, err
		}
	}
	return doc, err
}
