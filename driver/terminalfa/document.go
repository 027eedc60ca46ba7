package terminalfa

import (
	"context"
	"errors"
	"fmt"

	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// make builds a document and commits it, after the table in doc.go.
//
// before is where the FN stood when nothing of the document had been sent. The error's Effect is final: Nothing only when
// no document of this call exists, Unknown whenever the archive must be asked.
func (d *Device) make(ctx context.Context, op string, before fiscal.DocumentRef, build []wire.Request, commit wire.Request) (wire.Reply, error) {
	if err := d.expressible(build, commit); err != nil {
		return nil, invalid(op, err)
	}
	for _, req := range build {
		if _, err := d.exchange(ctx, op, req); err != nil {
			// The commit never left us, so there is no document. What hangs is cancelled if the line still works;
			// if not, the next job on this register does it.
			_ = d.CancelDocument(ctx) //nolint:errcheck // the failure that counts is err
			return nil, err
		}
	}
	reply, err := d.exchange(ctx, op, commit)
	if err == nil {
		return reply, nil
	}
	if _, refused := refusal(err); refused {
		return nil, d.verifyNothing(ctx, err, before)
	}
	if fiscal.EffectOf(err) == fiscal.Nothing {
		_ = d.CancelDocument(ctx) //nolint:errcheck // as above: not a byte of the commit left us
	}
	return nil, err
}

// expressible encodes every command before the first is sent: a receipt that does not fit a frame leaves no trace on the
// register.
func (d *Device) expressible(build []wire.Request, commit wire.Request) error {
	for _, req := range append(build[:len(build):len(build)], commit) {
		out, err := wire.AppendRequest(d.out[:0], req)
		if err != nil {
			return fmt.Errorf("command %s: %w", req.Command(), err)
		}
		d.out = out
	}
	return nil
}

// verifyNothing is what a failed commit is worth: Nothing when what hangs is gone and the number was seen unmoved
// afterwards, Unknown otherwise. The number is read after the cancel, because a commit that arrives late can only find
// an open document before it.
func (d *Device) verifyNothing(ctx context.Context, failed error, before fiscal.DocumentRef) error {
	var e *fiscal.Error
	if !errors.As(failed, &e) {
		return failed
	}
	verified := *e
	verified.Effect = fiscal.Unknown
	if err := d.CancelDocument(ctx); err != nil {
		verified.Err = fmt.Errorf("%w (and what hangs could not be cancelled: %w)", e.Err, err)
		return &verified
	}
	after, err := d.LastDocument(ctx)
	switch {
	case err != nil:
		verified.Err = fmt.Errorf("%w (and the last document could not be read: %w)", e.Err, err)
	case after.FN == before.FN && after.Last == before.Last && after.Open == 0:
		verified.Effect = fiscal.Nothing
	default:
		verified.Err = fmt.Errorf("%w (and the FN moved from document %d to %d)", e.Err, before.Last, after.Last)
	}
	return &verified
}

// OpenShift makes the opening report: 21, [2F], 22 (§5.2).
func (d *Device) OpenShift(ctx context.Context, op fiscal.Cashier) (fiscal.Document, error) {
	return d.shiftReport(ctx, "OpenShift", fiscal.KindShiftOpen, wire.CmdBeginOpenShift, wire.CmdOpenShift, op)
}

// CloseShift makes the closing report: 29, [2F], 2A (§5.2).
func (d *Device) CloseShift(ctx context.Context, op fiscal.Cashier) (fiscal.Document, error) {
	return d.shiftReport(ctx, "CloseShift", fiscal.KindShiftClose, wire.CmdBeginCloseShift, wire.CmdCloseShift, op)
}

func (d *Device) shiftReport(ctx context.Context, op string, kind fiscal.DocumentKind, begin, commit wire.Command, cashier fiscal.Cashier) (fiscal.Document, error) {
	before, err := d.LastDocument(ctx)
	if err != nil {
		return fiscal.Document{}, err
	}
	after, err := d.cashierData(cashier)
	if err != nil {
		return fiscal.Document{}, err
	}
	reply, err := d.makeReport(ctx, op, before, begin, after, commit)
	if err != nil {
		return fiscal.Document{}, err
	}
	made, ok := reply.(wire.ShiftDocument)
	if !ok {
		return fiscal.Document{}, errReplyType(op)
	}
	if err := isNext(op, fiscal.DocNumber(made.FD), before.Last); err != nil {
		return fiscal.Document{}, err
	}
	return d.completed(ctx, op, fiscal.Document{
		Kind: kind, FN: before.FN, Number: fiscal.DocNumber(made.FD), Sign: fiscal.Sign(made.Sign), Shift: uint32(made.Shift), Full: true,
	})
}

// makeReport begins a shift report with the print byte where this firmware wants it: on the begin command, or, if that is
// refused, on the commit (§5.2).
func (d *Device) makeReport(ctx context.Context, op string, before fiscal.DocumentRef, begin wire.Command, then []wire.Request, commit wire.Command) (wire.Reply, error) {
	if !d.printByteOnCommit {
		build := append([]wire.Request{wire.BeginShift{Cmd: begin, Print: d.printFlag()}}, then...)
		reply, err := d.make(ctx, op, before, build, wire.Bare{Cmd: commit})
		if code, refused := refusal(err); !refused || code != codeWrongFormat && code != codeWrongLength || fiscal.EffectOf(err) != fiscal.Nothing {
			return reply, err
		}
		d.printByteOnCommit = true
	}
	build := append([]wire.Request{wire.BeginShift{Cmd: begin}}, then...)
	reply, err := d.make(ctx, op, before, build, wire.BeginShift{Cmd: commit, Print: d.printFlag()})
	if err != nil {
		d.printByteOnCommit = false // neither form worked; the documented one is tried first next time
	}
	return reply, err
}

// isNext checks the number of a made document. Any but the one that must come next is a stale answer, or someone else is at
// the register; the archive decides.
func isNext(op string, made, before fiscal.DocNumber) error {
	if made == before+1 {
		return nil
	}
	return &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Protocol, Effect: fiscal.Unknown,
		Err: fmt.Errorf("answered with document %d where %d must come next", made, before+1)}
}

func (d *Device) printFlag() wire.PrintFlag {
	if d.opts.PrintReports {
		return wire.PrintYes
	}
	return wire.PrintNo
}

// Report makes the report on the state of settlements: 27, [2F], 28 (§5.5).
func (d *Device) Report(ctx context.Context, op fiscal.Cashier) (fiscal.Document, error) {
	before, err := d.LastDocument(ctx)
	if err != nil {
		return fiscal.Document{}, err
	}
	cashier, err := d.cashierData(op)
	if err != nil {
		return fiscal.Document{}, err
	}
	build := append([]wire.Request{wire.Bare{Cmd: wire.CmdBeginReport}}, cashier...)
	reply, err := d.make(ctx, "Report", before, build, wire.Bare{Cmd: wire.CmdFormReport})
	if err != nil {
		return fiscal.Document{}, err
	}
	made, ok := reply.(wire.ReportDocument)
	if !ok {
		return fiscal.Document{}, errReplyType("Report")
	}
	if err := isNext("Report", fiscal.DocNumber(made.FD), before.Last); err != nil {
		return fiscal.Document{}, err
	}
	return d.completed(ctx, "Report", fiscal.Document{
		Kind: fiscal.KindSettlement, FN: before.FN, Number: fiscal.DocNumber(made.FD), Sign: fiscal.Sign(made.Sign), Full: true,
	})
}

// cashierData is command 2F where it is needed: registers in automatic mode take it or leave it, and Terminal-FA is
// always in automatic mode (§5.2, §12).
func (d *Device) cashierData(op fiscal.Cashier) ([]wire.Request, error) {
	if d.identity.Automatic() || op.Name == "" {
		return nil, nil
	}
	b := tlvBuilder{}
	b.text(wire.TagCashier, op.Name)
	b.padded(wire.TagCashierINN, string(op.INN), 12)
	if b.err != nil {
		return nil, invalid("cashier", b.err)
	}
	return []wire.Request{wire.TLVRequest{Cmd: wire.CmdCashier, List: b.list}}, nil
}

// completed adds the time of a report, which its reply does not carry, from the archive. The document exists by now.
func (d *Device) completed(ctx context.Context, op string, doc fiscal.Document) (fiscal.Document, error) {
	short, err := ask[wire.ArchiveDocument](ctx, d, op, wire.DocumentQuery{Cmd: wire.CmdFind, Number: uint32(doc.Number)})
	if err != nil {
		return doc, done(op, err)
	}
	doc.Time = short.Time
	if doc.Kind == fiscal.KindShiftOpen {
		d.shift = shiftCache{doc.FN, doc.Shift, doc.Time}
	}
	return doc, nil
}

// done marks an error that came after the document was made.
func done(op string, err error) error {
	return &fiscal.Error{Op: Family + "." + op, Kind: fiscal.KindOf(err), Effect: fiscal.Done, Code: fiscal.CodeOf(err),
		Err: fmt.Errorf("the document is made, but reading it back failed: %w", err)}
}

func invalid(op string, err error) error {
	return &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Invalid, Effect: fiscal.Nothing, Err: err}
}

func errReplyType(op string) error {
	return &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Internal, Effect: fiscal.Unknown, Err: errors.New("the codec answered with another reply type")}
}
