package pool_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/fiscal"
)

// line is the dialer of a register; it only says which one is meant.
type line struct{ reg *register }

func (l line) Dial(context.Context) (link.Conn, error) {
	return nil, errors.New("no line in this test")
}
func (l line) String() string { return "fake" }

// session is one connection with a register: the driver under the pool.
type session struct {
	reg   *register
	trace func(fiscal.Exchange)
}

// shifts is a session of a family that has all the optional abilities.
type shifts struct{ session }

var (
	_ driver.Device   = session{}
	_ driver.Shifter  = shifts{}
	_ driver.Clocked  = shifts{}
	_ driver.Reporter = shifts{}
)

// connect is the families' table of these tests.
func connect(ctx context.Context, _ string, d link.Dialer, trace func(fiscal.Exchange)) (driver.Device, error) {
	reg := d.(line).reg
	s := session{reg, trace}
	if err := reg.do(ctx, "open", trace, func() error { reg.lines++; return nil }); err != nil {
		return nil, err
	}
	if reg.bare {
		return s, nil
	}
	return shifts{s}, nil
}

func (s session) Identify(ctx context.Context) (id fiscal.Identity, err error) {
	err = s.reg.do(ctx, "identify", s.trace, func() error { id = s.reg.id; return nil })
	return id, err
}

func (s session) Status(ctx context.Context) (st fiscal.Status, err error) {
	err = s.reg.do(ctx, "status", s.trace, func() error {
		st = s.reg.status
		st.Clock, st.ReadAt = s.reg.clock(), time.Now()
		st.Shift = s.reg.shift
		st.Document = s.reg.ref()
		if st.LastTime.IsZero() && len(s.reg.archive) > 0 {
			st.LastTime = s.reg.archive[len(s.reg.archive)-1].Time
		}
		return nil
	})
	return st, err
}

func (s session) LastDocument(ctx context.Context) (ref fiscal.DocumentRef, err error) {
	err = s.reg.do(ctx, "last", s.trace, func() error { ref = s.reg.ref(); return nil })
	return ref, err
}

func (s session) Document(ctx context.Context, n fiscal.DocNumber) (d fiscal.Document, err error) {
	err = s.reg.do(ctx, fmt.Sprintf("document %d", n), s.trace, func() error {
		if n == 0 || int(n) > len(s.reg.archive) || s.reg.lost[n] {
			return &fiscal.Error{Op: "fake.Document", Kind: fiscal.Refused, Effect: fiscal.Nothing, Err: fiscal.ErrNoDocument}
		}
		d = s.reg.archive[n-1]
		if s.reg.drops {
			d.Marks = fiscal.Marks{}
		}
		d.Full = !s.reg.short
		return nil
	})
	return d, err
}

func (s session) CancelDocument(ctx context.Context) error {
	return s.reg.do(ctx, "cancel", s.trace, func() error {
		if !s.reg.stuck {
			s.reg.open = 0
		}
		return nil
	})
}

func (s session) Register(ctx context.Context, r fiscal.Receipt, b fiscal.Baseline) (d fiscal.Document, err error) {
	err = s.reg.do(ctx, "register", s.trace, func() error {
		if !s.reg.shift.Open {
			return fail(fiscal.Protocol, fiscal.Nothing, errors.New("the shift is closed"))
		}
		s.reg.receipts = append(s.reg.receipts, r)
		s.reg.shift.Receipt++
		d = s.reg.add(fiscal.Document{
			Kind: fiscal.KindReceipt, Operation: r.Operation, Total: r.Total(), Marks: b.Marks, Receipt: s.reg.shift.Receipt,
		})
		return nil
	})
	if err != nil {
		return fiscal.Document{}, err
	}
	return d, nil
}

func (s session) Close() error {
	return s.reg.do(context.Background(), "close", func(fiscal.Exchange) {}, func() error { s.reg.lines--; return nil })
}

func (s shifts) OpenShift(ctx context.Context, op fiscal.Cashier) (fiscal.Document, error) {
	return s.shiftTo(ctx, true, "shift open", op)
}

func (s shifts) CloseShift(ctx context.Context, op fiscal.Cashier) (fiscal.Document, error) {
	return s.shiftTo(ctx, false, "shift close", op)
}

func (s shifts) shiftTo(ctx context.Context, open bool, what string, op fiscal.Cashier) (d fiscal.Document, err error) {
	err = s.reg.do(ctx, what, s.trace, func() error {
		if s.reg.shift.Open == open {
			return fail(fiscal.Protocol, fiscal.Nothing, errors.New("the shift is so already"))
		}
		s.reg.cashiers = append(s.reg.cashiers, op)
		d = s.reg.setShift(open)
		return nil
	})
	if err != nil {
		return fiscal.Document{}, err
	}
	return d, nil
}

func (s shifts) SetClock(ctx context.Context, t fiscal.DeviceTime) error {
	return s.reg.do(ctx, "set clock", s.trace, func() error {
		s.reg.skew = t.In(moscow).Sub(time.Now().Truncate(time.Minute))
		return nil
	})
}

func (s shifts) Report(ctx context.Context, _ fiscal.Cashier) (d fiscal.Document, err error) {
	err = s.reg.do(ctx, "report", s.trace, func() error { d = s.reg.add(fiscal.Document{Kind: fiscal.KindSettlement}); return nil })
	return d, err
}

// fail is an error as a family makes it.
func fail(k fiscal.Kind, e fiscal.Effect, err error) error {
	return &fiscal.Error{Op: "fake", Kind: k, Effect: e, Code: 7, Err: err}
}

var (
	errNoAnswer = errors.New("no answer in time")

	errSilent  = fail(fiscal.Link, fiscal.Unknown, errNoAnswer)
	errRefused = fail(fiscal.Refused, fiscal.Nothing, errors.New("the sum is wrong"))
	errNoLine  = fail(fiscal.Offline, fiscal.Nothing, errors.New("connection refused"))
	errPerson  = fail(fiscal.Attention, fiscal.Nothing, errors.New("out of ink"))
)
