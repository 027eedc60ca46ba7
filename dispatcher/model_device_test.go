package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/fiscal"
)

// mishap is what goes wrong with one receipt on a model register.
type mishap int

const (
	fine          mishap = iota
	lostMade             // the document is made, the answer is lost
	lostNotMade          // the line falls silent before
	lostHangs            // as before, and a document stays open
	lostLate             // the answer is lost, and the document is made later, unless it is cancelled before
	refuses              // no to the content
	cannot               // a fault of the register, with proof
	tooOld               // the shift is over 24 hours
	diesBefore           // the driver panics, nothing was made
	diesAfter            // the driver panics, the document was made
	doneAndFails         // made, and something after it failed
	overtaken            // a stranger's receipt of the same sum comes instead of it, and the answer is lost
	overtakenMade        // the same comes before it, and the answer is lost
	slow                 // made, after longer than a shutdown lasts
	kinds                // how many there are
)

// model is one register: FN, archive, shift. It does one command at a time, whoever sends it. Every document carries, out of
// sight of the program under test, which order it was made for.
type model struct {
	id    fiscal.DeviceID
	world *world
	busy  chan struct{} // holds the one command in work; a channel, because waiting for it must let the bubble's time pass

	mu        sync.Mutex
	who       fiscal.Identity
	docs      []fiscal.Document
	truth     []string // of each document: the order it belongs to, or "shift", "foreign"
	open      uint8
	opening   int // counts the documents begun, so that a late one knows whether it was cancelled
	shift     fiscal.ShiftState
	off       bool
	receipts  []mishap // to come
	reports   []mishap // to come, of shifts
	forgetful bool     // it does not keep stamps
	gone      map[fiscal.DocNumber]bool
}

func newModel(w *world, n int, forgetful bool) *model {
	m := &model{
		id: fiscal.DeviceID(fmt.Sprintf("10.0.0.%d:7778", n+1)), world: w, busy: make(chan struct{}, 1),
		who: fiscal.Identity{Serial: fmt.Sprint("S", n), FN: fmt.Sprint("871000010000000", n), INN: "7707083893", RNM: fmt.Sprint("R", n),
			FFD: fiscal.FFD105, TaxSystems: fiscal.TaxUSNIncome, VATs: fiscal.VATsUpTo(fiscal.VATNone)},
		forgetful: forgetful, gone: map[fiscal.DocNumber]bool{},
	}
	m.add(fiscal.Document{Kind: fiscal.KindRegistration}, "shift")
	return m
}

// add puts a document into the archive. The caller holds mu, or is alone.
func (m *model) add(d fiscal.Document, truth string) fiscal.Document {
	d.FN, d.Number, d.Full, d.Shift = m.who.FN, fiscal.DocNumber(len(m.docs)+1), true, m.shift.Number
	d.Sign, d.Time = fiscal.Sign(7*len(m.docs)+1), fiscal.DeviceTimeAt(time.Now(), zone)
	m.docs, m.truth = append(m.docs, d), append(m.truth, truth)
	return d
}

// of are the documents that were made for an order.
func (m *model) of(order string) (list []fiscal.Document) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, t := range m.truth {
		if t == order {
			list = append(list, m.docs[i])
		}
	}
	return list
}

// visit is one daemon's session with a register. A daemon that was killed sends nothing any more; what it sent before goes on.
type visit struct {
	*model
	dead *atomic.Bool
}

var (
	_ driver.Device  = visit{}
	_ driver.Shifter = visit{}
)

var errOff = failure(fiscal.Link, fiscal.Unknown, errors.New("no answer in time"))

// command runs act as the one command in work. Errors of a register that is off are careful ones: only the driver's own
// proof makes an effect Nothing.
func (v visit) command(takes time.Duration, act func() error) error {
	v.busy <- struct{}{}
	defer func() { <-v.busy }()
	v.mu.Lock()
	off := v.off
	v.mu.Unlock()
	if off || v.dead.Load() {
		return errOff
	}
	time.Sleep(takes)
	v.mu.Lock()
	defer v.mu.Unlock()
	return act()
}

const quick = 5 * time.Millisecond

func (v visit) Identify(context.Context) (id fiscal.Identity, err error) {
	err = v.command(quick, func() error { id = v.who; return nil })
	return id, err
}

func (v visit) Status(context.Context) (s fiscal.Status, err error) {
	err = v.command(quick, func() error {
		s = fiscal.Status{FNPresent: true, Phase: fiscal.PhaseFiscal, Clock: fiscal.DeviceTimeAt(time.Now(), zone), ReadAt: time.Now(),
			Document: v.ref(), Shift: v.shift}
		return nil
	})
	return s, err
}

func (v visit) ref() fiscal.DocumentRef {
	return fiscal.DocumentRef{FN: v.who.FN, Last: fiscal.DocNumber(len(v.docs)), Open: v.open, ShiftOpen: v.shift.Open}
}

func (v visit) LastDocument(context.Context) (ref fiscal.DocumentRef, err error) {
	err = v.command(quick, func() error { ref = v.ref(); return nil })
	return ref, err
}

func (v visit) Document(_ context.Context, n fiscal.DocNumber) (d fiscal.Document, err error) {
	err = v.command(quick, func() error {
		if n == 0 || int(n) > len(v.docs) {
			return failure(fiscal.Refused, fiscal.Nothing, fiscal.ErrNoDocument)
		}
		d = v.docs[n-1]
		if v.gone[n] {
			d.Full, d.Marks = false, fiscal.Marks{}
		}
		return nil
	})
	return d, err
}

func (v visit) CancelDocument(context.Context) error {
	return v.command(quick, func() error { v.open = 0; return nil })
}

func (v visit) Close() error { return nil }

// next takes the next mishap of a list.
func (m *model) next(list *[]mishap) (now mishap) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(*list) > 0 {
		now, *list = (*list)[0], (*list)[1:]
	}
	return now
}

func (v visit) Register(_ context.Context, r fiscal.Receipt, b fiscal.Baseline) (d fiscal.Document, err error) {
	order := r.Customer.Contact
	v.world.aboutToMake(v.id, order)
	what := v.next(&v.receipts)
	takes := 300 * time.Millisecond
	if what == slow {
		takes = time.Minute
	}
	makeIt := func() fiscal.Document {
		doc := fiscal.Document{Kind: fiscal.KindReceipt, Operation: r.Operation, Total: r.Total(), Marks: b.Marks}
		if v.forgetful {
			doc.Marks = fiscal.Marks{}
		}
		v.shift.Receipt++
		return v.add(doc, order)
	}
	err = v.command(takes, func() error {
		if v.open != 0 || !v.shift.Open {
			return failure(fiscal.Protocol, fiscal.Nothing, errors.New("out of order"))
		}
		switch what {
		case lostNotMade, diesBefore:
			return errOff
		case lostHangs:
			v.open = 3
			return errOff
		case lostLate:
			v.opening++
			mine := v.opening
			v.open = 3
			time.AfterFunc(700*time.Millisecond, func() {
				v.mu.Lock()
				defer v.mu.Unlock()
				if v.open != 0 && v.opening == mine {
					v.open = 0
					makeIt()
				}
			})
			return errOff
		case overtaken, overtakenMade:
			v.add(fiscal.Document{Kind: fiscal.KindReceipt, Operation: r.Operation, Total: r.Total()}, "stranger")
			if what == overtakenMade {
				makeIt()
			}
			return errOff
		case refuses:
			return errRefused
		case cannot:
			return errPerson
		case tooOld:
			return errExpired
		default:
			d = makeIt()
			return nil
		}
	})
	switch {
	case what == diesBefore || what == diesAfter:
		panic("the driver dies")
	case err != nil:
		return fiscal.Document{}, err
	case what == lostMade:
		return fiscal.Document{}, errOff
	case what == doneAndFails:
		return fiscal.Document{}, errAfter
	}
	return d, nil
}

func (v visit) OpenShift(context.Context, fiscal.Cashier) (fiscal.Document, error) {
	return v.report(true)
}

func (v visit) CloseShift(context.Context, fiscal.Cashier) (fiscal.Document, error) {
	return v.report(false)
}

func (v visit) report(open bool) (d fiscal.Document, err error) {
	what := v.next(&v.reports)
	err = v.command(200*time.Millisecond, func() error {
		if v.shift.Open == open || v.open != 0 {
			return failure(fiscal.Protocol, fiscal.Nothing, errors.New("out of order"))
		}
		switch what {
		case lostNotMade:
			return errOff
		case refuses, cannot:
			return errPerson
		default:
		}
		kind := fiscal.KindShiftClose
		v.shift.Open, v.shift.OpenedAt = open, fiscal.DeviceTime{}
		if open {
			kind = fiscal.KindShiftOpen
			v.shift.Number++
			v.shift.OpenedAt, v.shift.Receipt = fiscal.DeviceTimeAt(time.Now(), zone), 0
		}
		d = v.add(fiscal.Document{Kind: kind}, "shift")
		return nil
	})
	if err == nil && what == lostMade {
		return fiscal.Document{}, errOff
	}
	return d, err
}

// wire is the dialer of a model register.
type wire struct{ m *model }

func (w wire) Dial(context.Context) (link.Conn, error) { return nil, errors.New("a model has no line") }
func (w wire) String() string                          { return string(w.m.id) }

// visiting is the families' table of one daemon.
func visiting(dead *atomic.Bool) func(context.Context, string, link.Dialer, func(fiscal.Exchange)) (driver.Device, error) {
	return func(_ context.Context, _ string, d link.Dialer, _ func(fiscal.Exchange)) (driver.Device, error) {
		v := visit{d.(wire).m, dead}
		if err := v.command(quick, func() error { return nil }); err != nil {
			return nil, errNoLine
		}
		return v, nil
	}
}
