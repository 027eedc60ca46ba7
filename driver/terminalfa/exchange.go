package terminalfa

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"frpoold/driver/link"
	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// Codes the driver acts on (§7).
const (
	codeWrongFormat    wire.ErrorCode = 0x01
	codeWrongState     wire.ErrorCode = 0x02
	codeNotInArchive   wire.ErrorCode = 0x08
	codeTooLarge       wire.ErrorCode = 0x10
	codeShiftExpired   wire.ErrorCode = 0x16
	codeUnknownCommand wire.ErrorCode = 0x26
	codeWrongLength    wire.ErrorCode = 0x27
)

// maxReply bounds a whole answer, however slowly it trickles in.
const maxReply = 10 * time.Second

// exchange does one command on a line of its own. Every error is a *fiscal.Error.
//
// Its Effect speaks of fiscal documents: a command that cannot make one has Nothing even when it was lost. For one that
// can, Nothing means that not a byte left us, or that the answer is a refusal whose code says so.
func (d *Device) exchange(ctx context.Context, op string, req wire.Request) (wire.Reply, error) {
	fail := func(kind fiscal.Kind, effect fiscal.Effect, err error) error {
		if !req.Command().MakesDocument() {
			effect = fiscal.Nothing
		}
		return &fiscal.Error{Op: Family + "." + op, Kind: kind, Effect: effect, Err: fmt.Errorf("command %s: %w", req.Command(), err)}
	}
	out, err := wire.AppendRequest(d.out[:0], req)
	if err != nil {
		return nil, fail(fiscal.Invalid, fiscal.Nothing, err)
	}
	d.out = out
	if err := ctx.Err(); err != nil {
		return nil, fail(fiscal.Canceled, fiscal.Nothing, context.Cause(ctx))
	}

	began := time.Now()
	conn, err := d.dial(ctx)
	if err != nil {
		d.trace(began, req, nil, nil, err)
		return nil, fail(fiscal.Offline, fiscal.Nothing, err)
	}
	if n, err := d.send(conn, out); err != nil {
		effect := fiscal.Unknown
		if n == 0 {
			effect = fiscal.Nothing
		}
		_ = conn.Abort()
		d.trace(began, req, nil, nil, err)
		return nil, fail(fiscal.Link, effect, err)
	}

	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	frame, err := wire.ReadFrame(d.reader(ctx, conn, req.Command()), d.in[:0])
	if err != nil {
		_ = conn.Abort()
		d.trace(began, req, nil, nil, err)
		return nil, fail(linkKind(err), fiscal.Unknown, err)
	}
	_ = conn.Close()

	reply, err := wire.ParseReply(req.Command(), frame)
	d.trace(began, req, &frame, reply, err)
	var refused *wire.Refusal
	switch {
	case err == nil:
		return reply, nil
	case errors.As(err, &refused):
		return nil, d.refusalError(op, req, refused)
	default:
		// A whole frame with a good check, and not what the sheet says: the line is fine, the register is not understood.
		return nil, fail(fiscal.Attention, fiscal.Unknown, err)
	}
}

func (d *Device) dial(ctx context.Context) (link.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, d.opts.Timeouts.Connect)
	defer cancel()
	return d.dialer.Dial(ctx)
}

func (d *Device) send(conn link.Conn, frame []byte) (int, error) {
	if err := conn.SetDeadline(time.Now().Add(d.opts.Timeouts.Connect)); err != nil {
		return 0, err
	}
	return conn.Write(frame)
}

// refusalError turns a well-formed refusal into an error by the family's table.
func (d *Device) refusalError(op string, req wire.Request, r *wire.Refusal) error {
	e := &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Attention, Effect: fiscal.Unknown, Code: fiscal.Code(r.Code)}
	if info, ok := r.Code.Info(); ok {
		e.Kind, e.Effect = info.Kind, info.Effect
	}
	if !req.Command().MakesDocument() {
		e.Effect = fiscal.Nothing
	}
	e.Err = fmt.Errorf("command %s refused: %w", req.Command(), r)
	if r.Code == codeShiftExpired {
		e.Err = fmt.Errorf("%w: %w", fiscal.ErrShiftExpired, e.Err)
	}
	return e
}

// refusal is the code of a well-formed refusal in err's chain.
func refusal(err error) (wire.ErrorCode, bool) {
	var r *wire.Refusal
	if errors.As(err, &r) {
		return r.Code, true
	}
	return 0, false
}

// linkKind tells a broken or silent line from rubbish on it.
func linkKind(err error) fiscal.Kind {
	for _, rubbish := range []error{wire.ErrNoStart, wire.ErrLength, wire.ErrCRC} {
		if errors.Is(err, rubbish) {
			return fiscal.Protocol
		}
	}
	return fiscal.Link
}

// replyReader gives each Read the time the sheet allows: long for the first byte, short between bytes (§2.3).
type replyReader struct {
	ctx   context.Context
	conn  link.Conn
	first time.Duration
	gap   time.Duration
	end   time.Time // of the whole answer
	began bool
}

func (d *Device) reader(ctx context.Context, conn link.Conn, c wire.Command) *replyReader {
	first := d.opts.Timeouts.Reply
	switch c {
	case wire.CmdBeginOpenShift, wire.CmdBeginCloseShift:
		// The slow printers of this family print while they begin a report (§2.3).
		first = d.opts.Timeouts.Commit
	default:
		if c.MakesDocument() {
			first = d.opts.Timeouts.Commit
		}
	}
	return &replyReader{ctx: ctx, conn: conn, first: first, gap: d.opts.Timeouts.Gap, end: time.Now().Add(first + maxReply)}
}

func (r *replyReader) Read(p []byte) (int, error) {
	wait := r.first
	if r.began {
		wait = r.gap
	}
	deadline := time.Now().Add(wait)
	if deadline.After(r.end) {
		deadline = r.end
	}
	if err := r.conn.SetDeadline(deadline); err != nil {
		return 0, err
	}
	if err := context.Cause(r.ctx); err != nil {
		return 0, err
	}
	n, err := r.conn.Read(p)
	if n > 0 {
		r.began = true
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = fmt.Errorf("no answer within %s: %w", wait, err)
	}
	return n, err
}
