package pool

import (
	"context"
	"fmt"

	"frpoold/driver"
	"frpoold/fiscal"
)

// Operation is a manual operation, executed by the device's worker like any task.
type Operation string

// Operations.
const (
	OpenShift  Operation = "shift_open"
	CloseShift Operation = "shift_close"
	SetClock   Operation = "clock"
	Report     Operation = "report"
)

// Operate does a manual operation. The document is nil for SetClock. Its errors are *fiscal.UserError for what the
// operator can change and *fiscal.Error from the register.
func (p *Pool) Operate(ctx context.Context, id fiscal.DeviceID, op Operation) (*fiscal.Document, error) {
	w, ok := p.worker(id)
	if !ok {
		return nil, conflict("device_inactive", "the device is not active: activate it first")
	}
	var doc *fiscal.Document
	var err error
	if submitErr := w.submit(ctx, func() { doc, err = w.operate(ctx, op) }); submitErr != nil {
		return nil, conflict("device_inactive", "the device is being deactivated")
	}
	return doc, err
}

func conflict(code, format string, args ...any) error {
	return &fiscal.UserError{Class: fiscal.ClassConflict, Code: code, Message: fmt.Sprintf(format, args...)}
}

func (w *worker) operate(ctx context.Context, op Operation) (doc *fiscal.Document, err error) {
	if job, held := w.pool.Holds(w.id); held {
		return nil, conflict("device_in_doubt", "receipt %s on this device is not settled; another document would destroy the proof", job)
	}
	if w.ending() {
		return nil, conflict("device_inactive", "the device is being deactivated")
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitLimit)
	defer cancel()
	if w.dev == nil {
		w.connect(ctx)
		if w.dev == nil {
			return nil, &fiscal.UserError{Class: fiscal.ClassUnreachable, Code: "device_unreachable", Message: fmt.Sprintf("the register does not answer: %v", w.lost)}
		}
	}
	unknown := func() fiscal.Effect { return fiscal.Unknown }
	err = w.guard(unknown, func() error {
		ref, err := w.dev.LastDocument(ctx)
		if err != nil {
			return err
		}
		if ref.Open != 0 {
			if err := w.dev.CancelDocument(ctx); err != nil {
				return err
			}
		}
		doc, err = w.operation(ctx, op, ref)
		return err
	})
	if err != nil {
		err = w.atDevice(err)
		if k := fiscal.KindOf(err); k == fiscal.Offline || k == fiscal.Link || k == fiscal.Protocol {
			w.closeSession(err)
		}
		return nil, err
	}
	w.poll(ctx)
	return doc, nil
}

func (w *worker) operation(ctx context.Context, op Operation, ref fiscal.DocumentRef) (*fiscal.Document, error) {
	switch op {
	case OpenShift:
		if ref.ShiftOpen {
			return nil, conflict("shift_open", "the shift is open already")
		}
		return w.afterShift(ctx, w.openShift(ctx))
	case CloseShift:
		if !ref.ShiftOpen {
			return nil, conflict("shift_closed", "the shift is closed already")
		}
		return w.afterShift(ctx, w.closeShift(ctx))
	case SetClock:
		return nil, w.setClock(ctx, ref)
	case Report:
		reporter, ok := w.dev.(driver.Reporter)
		if !ok {
			return nil, conflict("not_supported", "this protocol family makes no such report")
		}
		doc, err := reporter.Report(ctx, w.pool.opts.Cashier)
		return &doc, err
	default:
		return nil, &fiscal.UserError{Class: fiscal.ClassMalformed, Code: "unknown_operation", Message: fmt.Sprintf("unknown operation %q", op)}
	}
}

// afterShift reads the document a shift operation made.
func (w *worker) afterShift(ctx context.Context, err error) (*fiscal.Document, error) {
	if err != nil {
		return nil, err
	}
	ref, err := w.dev.LastDocument(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := w.dev.Document(ctx, ref.Last)
	return &doc, err
}

// setClock brings the register's clock to the host's. Only with the shift closed, and never before the last document: the
// FN would refuse both (domain/ffd.md §3.4).
func (w *worker) setClock(ctx context.Context, ref fiscal.DocumentRef) error {
	clocked, ok := w.dev.(driver.Clocked)
	if !ok {
		return conflict("not_supported", "this protocol family sets no clock")
	}
	if ref.ShiftOpen {
		return conflict("shift_open", "the clock is set only while the shift is closed: POST /frs/{eip}/shift/close first")
	}
	now := fiscal.DeviceTimeAt(w.pool.opts.Now(), w.zone)
	if w.status != nil && !w.status.LastTime.IsZero() && now.Sub(w.status.LastTime) < 0 {
		return conflict("clock_before_last_document", "the last document was made at %s on the register's clock, and %s is before it: wait until then, and repeat", w.status.LastTime, now)
	}
	return clocked.SetClock(ctx, now)
}
