package pool

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"frpoold/driver"
	"frpoold/fiscal"
)

// Receipt is what a worker needs to make one receipt.
type Receipt struct {
	Job     fiscal.JobID
	Receipt fiscal.Receipt
	// Begin is called in the worker's goroutine after the baseline was read and before the first byte that could make a
	// document. It makes the baseline durable. If it fails, nothing is sent.
	Begin func(fiscal.Baseline) error
}

// Outcome is what became of a receipt.
type Outcome struct {
	// Document is the document made; nil with an error. An error's Effect (fiscal.EffectOf) says what may exist:
	// Nothing is certain that no document does, anything else holds the device until Release.
	Document  *fiscal.Document
	Err       error
	Identity  fiscal.Identity   // of the register, when it came so far
	Exchanges []fiscal.Exchange // of this turn, when the effect is not certain
}

const (
	// commitLimit bounds a whole receipt, from the baseline to the answer. Each exchange has its own deadlines; this one
	// is for a line that trickles.
	commitLimit = 5 * time.Minute

	pauseMin = time.Second
	pauseMax = time.Minute
)

// Register makes a receipt on a device. It returns when the outcome is known or known to be unknown; once Begin was
// called, ctx no longer stops it.
func (p *Pool) Register(ctx context.Context, id fiscal.DeviceID, r Receipt) Outcome {
	w, ok := p.worker(id)
	if !ok {
		return Outcome{Err: nothing(id, fiscal.Offline, ErrNotEnrolled)}
	}
	var out Outcome
	if err := w.submit(ctx, func() { out = w.register(ctx, r) }); err != nil {
		return Outcome{Err: nothing(id, fiscal.Canceled, err)}
	}
	return out
}

// nothing is an error that came before anything of the receipt was sent.
func nothing(id fiscal.DeviceID, kind fiscal.Kind, err error) error {
	return &fiscal.Error{Op: "pool.Register", Device: id, Kind: kind, Effect: fiscal.Nothing, Code: fiscal.CodeOf(err), Err: err}
}

func (w *worker) register(ctx context.Context, r Receipt) Outcome {
	if err := w.mayRegister(ctx); err != nil {
		return Outcome{Err: nothing(w.id, fiscal.Busy, err)}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	var began time.Time // of the receipt itself: a shift that had to be opened says nothing about the next one

	begun := false
	effect := func() fiscal.Effect {
		if begun {
			return fiscal.Unknown
		}
		return fiscal.Nothing
	}
	var doc fiscal.Document
	var marks fiscal.Baseline
	err := w.guard(effect, func() error {
		before, err := w.prepare(ctx)
		if err != nil {
			return nothing(w.id, preparing(fiscal.KindOf(err)), err)
		}
		began = w.pool.opts.Now()
		stamp := fiscal.ChooseStamp(r.Job, &r.Receipt, w.identity.FFD)
		baseline := fiscal.Baseline{
			FN: before.FN, Serial: w.identity.Serial, LastFD: before.Last,
			Stamp: stamp, Marks: fiscal.MarksOf(&r.Receipt, stamp), At: w.pool.opts.Now(),
			Proven: w.stamps[stamp.Tag].proven,
		}
		marks = baseline
		if err := r.Begin(baseline); err != nil {
			return nothing(w.id, fiscal.Internal, fmt.Errorf("the durable record was not written: %w", err))
		}
		begun = true
		doc, err = w.dev.Register(ctx, w.withCashier(r.Receipt), baseline)
		return err
	})
	if err == nil {
		w.wantStampTrial(marks, doc.Number)
	}
	return w.concluded(r, doc, w.atDevice(err), began, begun)
}

// mayRegister repeats at the last moment what the dispatcher saw in a snapshot.
func (w *worker) mayRegister(ctx context.Context) error {
	if w.ending() || w.draining.Load() {
		return errors.New("the device is being deactivated")
	}
	if job, held := w.pool.Holds(w.id); held {
		return fmt.Errorf("receipt %s on this device is not settled", job)
	}
	if w.stale {
		w.closeSession(nil)
	}
	if w.dev == nil {
		w.connect(ctx)
		if w.dev == nil {
			return w.lost
		}
	}
	w.stale = false
	w.publish()
	for _, g := range w.view.Load().Gates {
		if g.Code != fiscal.GateBusy {
			return fmt.Errorf("%s: %s", g.Code, g.Message)
		}
	}
	return nil
}

// prepare brings the register to where a receipt can begin: right FN, nothing hanging, an open shift that is not too old.
// It returns the baseline. Whatever fails here, nothing of the receipt was sent.
func (w *worker) prepare(ctx context.Context) (fiscal.DocumentRef, error) {
	ref, err := w.dev.LastDocument(ctx)
	if err != nil {
		return ref, err
	}
	if ref.FN != w.identity.FN {
		err := fmt.Errorf("FN %s appeared in place of %s", ref.FN, w.identity.FN)
		w.closeSession(err)
		return ref, err
	}
	if ref.Open != 0 {
		w.log.Warn("cancelling a document left open", "document", ref.Open)
		if err := w.dev.CancelDocument(ctx); err != nil {
			return ref, fmt.Errorf("cancelling what hangs: %w", err)
		}
		if ref, err = w.dev.LastDocument(ctx); err != nil {
			return ref, err
		}
		if ref.Open != 0 {
			return ref, fmt.Errorf("document %d is still open after it was cancelled", ref.Open)
		}
	}
	if ref.ShiftOpen && (w.renew || w.shiftTooOld()) && w.mayRenew() {
		if err := w.closeShift(ctx); err != nil {
			return ref, err
		}
		ref.ShiftOpen, w.renewed = false, w.pool.opts.Now()
	}
	w.renew = false
	if !ref.ShiftOpen {
		if err := w.openShift(ctx); err != nil {
			return ref, err
		}
		return w.dev.LastDocument(ctx)
	}
	return ref, nil
}

// preparing is the kind of a failure before the receipt: a register that refuses a shift or a cancel says nothing about
// the receipt, which another register may well take.
func preparing(k fiscal.Kind) fiscal.Kind {
	if k == fiscal.Refused || k == fiscal.Invalid {
		return fiscal.Attention
	}
	return k
}

// withCashier fills in the configured cashier where the register wants one (domain/ffd.md §9 rule 12).
func (w *worker) withCashier(r fiscal.Receipt) fiscal.Receipt {
	if r.Cashier == "" && !w.identity.Automatic() {
		r.Cashier, r.CashierINN = w.pool.opts.Cashier.Name, w.pool.opts.Cashier.INN
	}
	return r
}

// concluded turns the driver's answer into an outcome and the device's next state.
func (w *worker) concluded(r Receipt, doc fiscal.Document, err error, began time.Time, begun bool) Outcome {
	var out Outcome
	if w.identity != nil {
		out.Identity = *w.identity
	}
	if err == nil {
		out.Document = &doc
		w.made(doc, w.pool.opts.Now().Sub(began))
		return out
	}
	out.Err = err
	if fiscal.EffectOf(err) != fiscal.Nothing {
		// Nobody may register here until the archive has been asked, not even if the dispatcher were to forget.
		w.pool.Hold(w.id, r.Job)
		out.Exchanges = slices.Clone(w.turn)
		w.log.Warn("receipt in doubt", "job", string(r.Job), "error", err)
	}
	w.afterFailure(r.Job, err, begun)
	return out
}

// made takes over what a receipt tells about the device.
func (w *worker) made(doc fiscal.Document, took time.Duration) {
	w.receipts++
	w.paused, w.pauses, w.failed, w.renewed = nil, 0, "", time.Time{}
	if w.service == 0 {
		w.service = took
	} else {
		w.service += (took - w.service) / 8
	}
	if w.status != nil {
		s := *w.status
		s.Document = fiscal.DocumentRef{FN: doc.FN, Last: doc.Number, ShiftOpen: true}
		s.LastTime = doc.Time
		s.Shift.Open, s.Shift.Number, s.Shift.Receipt = true, doc.Shift, doc.Receipt
		w.status = &s
	}
}

// afterFailure decides whether the device keeps its session and its place in the choice.
//
// One receipt that fails here says little: the dispatcher keeps it away from this device. A device pauses when two different
// ones failed in a row, or when it could not even begin.
func (w *worker) afterFailure(job fiscal.JobID, err error, begun bool) {
	if errors.Is(err, fiscal.ErrShiftExpired) && w.mayRenew() {
		w.renew = true
		return
	}
	kind := fiscal.KindOf(err)
	lost := kind == fiscal.Offline || kind == fiscal.Link || kind == fiscal.Protocol
	switch {
	case kind == fiscal.Refused || kind == fiscal.Invalid || kind == fiscal.Canceled:
		return
	case lost:
		w.closeSession(err)
	case kind == fiscal.Attention:
		w.stale = true // it may have been registered anew
	}
	another := w.failed != "" && w.failed != job
	if begun {
		w.failed = job
	}
	if begun && another || !begun && !lost && kind != fiscal.Internal {
		wait := min(pauseMin<<min(w.pauses, 16), pauseMax)
		w.pauses++
		w.paused = &pause{until: w.pool.opts.Now().Add(wait), cause: err}
		time.AfterFunc(wait, w.nudge)
	}
}

// renewEvery is how often a shift may be renewed while no receipt succeeds. Each renewal is two documents of the storage's
// 250 000: a register that calls a new shift expired must not use it up.
const renewEvery = time.Hour

func (w *worker) mayRenew() bool {
	return w.renewed.IsZero() || w.pool.opts.Now().Sub(w.renewed) >= renewEvery
}

func (w *worker) shiftTooOld() bool {
	s := w.status
	if s == nil || s.Shift.OpenedAt.IsZero() || s.Clock.IsZero() {
		return false
	}
	onDevice := s.Clock.Sub(s.Shift.OpenedAt) + w.pool.opts.Now().Sub(s.ReadAt)
	return onDevice >= w.pool.opts.MaxShiftAge
}

// errNoShifts says that a family cannot do what the device needs.
var errNoShifts = errors.New("this protocol family opens no shifts")

func (w *worker) openShift(ctx context.Context) error {
	return w.shiftDocument(ctx, "open", true, driver.Shifter.OpenShift)
}

func (w *worker) closeShift(ctx context.Context) error {
	w.closing = true
	w.publish()
	defer func() {
		w.closing = false
		w.publish()
	}()
	return w.shiftDocument(ctx, "close", false, driver.Shifter.CloseShift)
}

// shiftDocument opens or closes a shift. A lost answer is settled at once: the FN itself says whether the shift is open.
func (w *worker) shiftDocument(ctx context.Context, what string, want bool, do func(driver.Shifter, context.Context, fiscal.Cashier) (fiscal.Document, error)) error {
	shifter, ok := w.dev.(driver.Shifter)
	if !ok {
		return errNoShifts
	}
	doc, err := do(shifter, ctx, w.pool.opts.Cashier)
	if err != nil && fiscal.EffectOf(err) != fiscal.Nothing {
		ref, readErr := w.dev.LastDocument(ctx)
		if readErr != nil {
			return fmt.Errorf("to %s the shift: %w (and its state could not be read: %w)", what, err, readErr)
		}
		if ref.ShiftOpen == want && ref.Open == 0 {
			w.log.Warn("the shift changed although the answer was lost", "wanted", what, "error", err)
			err, doc.Number = nil, ref.Last
		}
	}
	if err != nil {
		return fmt.Errorf("to %s the shift: %w", what, err)
	}
	w.log.Info("shift "+what, "fd", uint32(doc.Number), "shift", doc.Shift)
	if w.status != nil {
		s := *w.status
		s.Shift = fiscal.ShiftState{Open: want, Number: doc.Shift}
		if want {
			s.Shift.OpenedAt = doc.Time
		}
		s.Document.Last, s.Document.ShiftOpen = max(s.Document.Last, doc.Number), want
		w.status = &s
	}
	return nil
}
