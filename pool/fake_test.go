package pool_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

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
	always  map[string]error
	lost    map[fiscal.DocNumber]bool // these are not shown any more
	drops   bool                      // the stamps of receipts are not kept
	short   bool                      // the content of receipts is gone at once
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
		always: map[string]error{},
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

// talk is the diary without what is read from the archive.
func (r *register) talk() []string {
	return slices.DeleteFunc(r.calls(), func(c string) bool { return strings.HasPrefix(c, "document ") })
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
func (r *register) do(ctx context.Context, what string, trace func(fiscal.Exchange), act func() error) error {
	r.mu.Lock()
	r.diary = append(r.diary, call{what, time.Now()})
	if r.inside != "" {
		r.overlaps = append(r.overlaps, what+" during "+r.inside)
	}
	r.inside = what
	f := fault{err: r.always[what]}
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
		select {
		case <-time.After(takes):
		case <-ctx.Done(): // a driver gives up in the middle of an exchange
			f = fault{err: fail(fiscal.Link, fiscal.Unknown, context.Cause(ctx))}
		}
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
