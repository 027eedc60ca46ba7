package pool_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/fiscal"
)

const (
	serial = "0000000000012345"
	fnA    = "8710000100012345"
	fnB    = "8710000100099999"
	ourINN = fiscal.INN("7707083893")
)

var moscow = time.FixedZone("MSK", 3*3600)

// fault is what happens to one call of a device's method. The zero value is no fault.
type fault struct {
	commit bool          // the register does what was asked, and only then it fails
	err    error         // what the driver says
	panics any           // what the driver dies of
	until  chan struct{} // the call hangs until this is closed, whatever its context says
}

// call is one entry of a register's diary.
type call struct {
	what string
	at   time.Time
}

// register is the box: FN, archive, shift, open document. Sessions with it come and go. It notes every call and whether two
// ever overlapped.
type register struct {
	mu      sync.Mutex
	id      fiscal.Identity
	status  fiscal.Status // template: what the model below does not know
	archive []fiscal.Document
	open    uint8
	stuck   bool // an open document that no cancel closes
	shift   fiscal.ShiftState
	skew    time.Duration // of its clock
	takes   map[string]time.Duration
	faults  map[string][]fault
	lost    map[fiscal.DocNumber]bool // the content of these is gone
	bare    bool                      // a family without any of the optional abilities

	diary    []call
	inside   string
	overlaps []string
	lines    int // sessions opened and not closed
	cashiers []fiscal.Cashier
	receipts []fiscal.Receipt
}

func newRegister() *register {
	r := &register{
		id: fiscal.Identity{
			Family: "fake", Model: "FAKE-1", Serial: serial, FN: fnA, INN: ourINN, RNM: "0000000001012345", FFD: fiscal.FFD105,
			TaxSystems: fiscal.TaxUSNIncome, VATs: fiscal.VATsUpTo(fiscal.VATNone), FNExpires: day(2001, 6, 1),
		},
		status: fiscal.Status{FNPresent: true, Phase: fiscal.PhaseFiscal},
		takes:  map[string]time.Duration{},
		faults: map[string][]fault{},
		lost:   map[fiscal.DocNumber]bool{},
	}
	r.add(fiscal.Document{Kind: fiscal.KindRegistration})
	return r
}

func day(year, month, date int) fiscal.DeviceTime {
	t, ok := fiscal.NewDeviceTime(year, month, date, 0, 0)
	if !ok {
		panic("no such day")
	}
	return t
}

// set changes the box from outside, as a person with a screwdriver would.
func (r *register) set(change func(r *register)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	change(r)
}

// breaks queues faults for the next calls of a method, one for each call.
func (r *register) breaks(what string, f ...fault) {
	r.set(func(r *register) { r.faults[what] = append(r.faults[what], f...) })
}

// slow makes a method take its time.
func (r *register) slow(what string, d time.Duration) {
	r.set(func(r *register) { r.takes[what] = d })
}

func (r *register) clock() fiscal.DeviceTime {
	return fiscal.DeviceTimeAt(time.Now().Add(r.skew), moscow)
}

// last is the number of the last document.
func (r *register) last() fiscal.DocNumber {
	r.mu.Lock()
	defer r.mu.Unlock()
	return fiscal.DocNumber(len(r.archive))
}

// add puts a document into the archive. The caller holds mu or is alone.
func (r *register) add(d fiscal.Document) fiscal.Document {
	d.FN, d.Number, d.Time, d.Full = r.id.FN, fiscal.DocNumber(len(r.archive)+1), r.clock(), true
	d.Sign = fiscal.Sign(1000 + d.Number)
	d.Shift = r.shift.Number
	r.archive = append(r.archive, d)
	return d
}

// foreign makes a receipt that is not ours.
func (r *register) foreign(total fiscal.Money) fiscal.Document {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.add(fiscal.Document{Kind: fiscal.KindReceipt, Operation: fiscal.Sell, Total: total})
}

func (r *register) setShift(open bool) fiscal.Document {
	if open {
		r.shift.Open, r.shift.Receipt, r.shift.OpenedAt = true, 0, r.clock()
		r.shift.Number++
		return r.add(fiscal.Document{Kind: fiscal.KindShiftOpen})
	}
	r.shift.Open, r.shift.OpenedAt = false, fiscal.DeviceTime{}
	return r.add(fiscal.Document{Kind: fiscal.KindShiftClose})
}

// openedShift is a register whose shift is open already.
func openedShift() *register {
	r := newRegister()
	r.setShift(true)
	return r
}

func (r *register) ref() fiscal.DocumentRef {
	return fiscal.DocumentRef{FN: r.id.FN, Last: fiscal.DocNumber(len(r.archive)), Open: r.open, ShiftOpen: r.shift.Open}
}

// note writes into the diary what is no call of the driver.
func (r *register) note(what string) {
	r.set(func(r *register) { r.diary = append(r.diary, call{what, time.Now()}) })
}

// calls are the diary's entries, of the given kinds or all.
func (r *register) calls(kinds ...string) (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.diary {
		if len(kinds) == 0 || slices.Contains(kinds, c.what) {
			list = append(list, c.what)
		}
	}
	return list
}

// forget empties the diary.
func (r *register) forget() { r.set(func(r *register) { r.diary = nil }) }

// times are when a method was called.
func (r *register) times(what string) (list []time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.diary {
		if c.what == what {
			list = append(list, c.at)
		}
	}
	return list
}

// do is one call of the driver: its place in the diary, its time, its fault.
func (r *register) do(what string, trace func(fiscal.Exchange), act func() error) error {
	r.mu.Lock()
	r.diary = append(r.diary, call{what, time.Now()})
	if r.inside != "" {
		r.overlaps = append(r.overlaps, what+" during "+r.inside)
	}
	r.inside = what
	var f fault
	if q := r.faults[what]; len(q) > 0 {
		f, r.faults[what] = q[0], q[1:]
	}
	takes := r.takes[what]
	r.mu.Unlock()
	defer r.set(func(r *register) { r.inside = "" })

	if f.until != nil {
		<-f.until
	}
	if takes > 0 {
		time.Sleep(takes)
	}
	err := f.err
	if f.commit || err == nil && f.panics == nil {
		r.mu.Lock()
		actErr := act()
		r.mu.Unlock()
		err = errors.Join(actErr, err)
		if actErr == nil {
			err = f.err
		}
	}
	e := fiscal.Exchange{At: time.Now(), Command: what}
	if err != nil {
		e.Error = err.Error()
	}
	trace(e)
	if f.panics != nil {
		panic(f.panics)
	}
	return err
}

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
func connect(_ context.Context, _ string, d link.Dialer, trace func(fiscal.Exchange)) (driver.Device, error) {
	reg := d.(line).reg
	s := session{reg, trace}
	if err := reg.do("open", trace, func() error { reg.lines++; return nil }); err != nil {
		return nil, err
	}
	if reg.bare {
		return s, nil
	}
	return shifts{s}, nil
}

func (s session) Identify(context.Context) (id fiscal.Identity, err error) {
	err = s.reg.do("identify", s.trace, func() error { id = s.reg.id; return nil })
	return id, err
}

func (s session) Status(context.Context) (st fiscal.Status, err error) {
	err = s.reg.do("status", s.trace, func() error {
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

func (s session) LastDocument(context.Context) (ref fiscal.DocumentRef, err error) {
	err = s.reg.do("last", s.trace, func() error { ref = s.reg.ref(); return nil })
	return ref, err
}

func (s session) Document(_ context.Context, n fiscal.DocNumber) (d fiscal.Document, err error) {
	err = s.reg.do(fmt.Sprintf("document %d", n), s.trace, func() error {
		if n == 0 || int(n) > len(s.reg.archive) || s.reg.lost[n] {
			return &fiscal.Error{Op: "fake.Document", Kind: fiscal.Refused, Effect: fiscal.Nothing, Err: fiscal.ErrNoDocument}
		}
		d = s.reg.archive[n-1]
		return nil
	})
	return d, err
}

func (s session) CancelDocument(context.Context) error {
	return s.reg.do("cancel", s.trace, func() error {
		if !s.reg.stuck {
			s.reg.open = 0
		}
		return nil
	})
}

func (s session) Register(_ context.Context, r fiscal.Receipt, b fiscal.Baseline) (d fiscal.Document, err error) {
	err = s.reg.do("register", s.trace, func() error {
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
	return s.reg.do("close", func(fiscal.Exchange) {}, func() error { s.reg.lines--; return nil })
}

func (s shifts) OpenShift(_ context.Context, op fiscal.Cashier) (fiscal.Document, error) {
	return s.shiftTo(true, "shift open", op)
}

func (s shifts) CloseShift(_ context.Context, op fiscal.Cashier) (fiscal.Document, error) {
	return s.shiftTo(false, "shift close", op)
}

func (s shifts) shiftTo(open bool, what string, op fiscal.Cashier) (d fiscal.Document, err error) {
	err = s.reg.do(what, s.trace, func() error {
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

func (s shifts) SetClock(_ context.Context, t fiscal.DeviceTime) error {
	return s.reg.do("set clock", s.trace, func() error {
		s.reg.skew = t.In(moscow).Sub(time.Now().Truncate(time.Minute))
		return nil
	})
}

func (s shifts) Report(context.Context, fiscal.Cashier) (d fiscal.Document, err error) {
	err = s.reg.do("report", s.trace, func() error { d = s.reg.add(fiscal.Document{Kind: fiscal.KindSettlement}); return nil })
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
