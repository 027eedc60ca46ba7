package simulator

import (
	"errors"
	"fmt"
	"time"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// FNAction is what hands do with a register's fiscal storage.
type FNAction string

// What can be done with an FN.
const (
	FNReplace FNAction = "replace" // a new one, registered at once: new number, new archive
	FNFresh   FNAction = "fresh"   // a new one, not registered (phase 1)
	FNRemove  FNAction = "remove"  // out; the register works on without
	FNInsert  FNAction = "insert"  // what was taken out comes back
)

// Patch is what a person beside the rack, or a test, changes on one register. Nil members change nothing.
type Patch struct {
	Temperature      *int           // °C, −128…127, from now on
	TemperatureModel *bool          // true: the model decides again
	ClockOffset      *time.Duration // of the register's clock from the host's in its zone
	OFD              *bool          // the operator confirms documents, if AutoConfirm says how often
	Confirm          *int           // the operator confirms so many of the oldest documents now; −1: all
	Power            *bool          // false loses the document being built
	PowerFor         *time.Duration // with Power false: the power comes back after so long
	Printer          *Printer
	Critical         *bool // the register reports a critical error and refuses documents (0x03)
	ServiceTime      *time.Duration
	FN               *FNAction
	FNExpires        *fiscal.DeviceTime // last day of the FN in place
	FNCapacity       *uint32            // documents it can sign
	HangDocument     *bool              // true: leaves a document open; false: cancels what is open
	Strict           *bool
	KeepOpen         *bool
	Random           *RandomFaults
}

// check says in a sentence what is wrong with p.
func (p *Patch) check() error {
	switch {
	case p.Temperature != nil && (*p.Temperature < -128 || *p.Temperature > 127):
		return fmt.Errorf("temperature %d, want -128 to 127", *p.Temperature)
	case p.Temperature != nil && p.TemperatureModel != nil && *p.TemperatureModel:
		return errors.New("a temperature and the temperature model exclude each other")
	case p.ClockOffset != nil && (*p.ClockOffset > maxClockOffset || *p.ClockOffset < -maxClockOffset):
		return fmt.Errorf("clock offset %s, want at most %s either way", *p.ClockOffset, maxClockOffset)
	case p.Confirm != nil && *p.Confirm < -1:
		return fmt.Errorf("confirm %d documents, want -1 (all) or more", *p.Confirm)
	case p.PowerFor != nil && (p.Power == nil || *p.Power):
		return errors.New("power_for goes with power off")
	case p.PowerFor != nil && (*p.PowerFor <= 0 || *p.PowerFor > maxFaultDelay):
		return fmt.Errorf("power off for %s, want more than 0s, at most %s", *p.PowerFor, maxFaultDelay)
	case p.ServiceTime != nil && (*p.ServiceTime < 0 || *p.ServiceTime > maxFaultDelay):
		return fmt.Errorf("service time %s, want 0s to %s", *p.ServiceTime, maxFaultDelay)
	case p.FNCapacity != nil && *p.FNCapacity == 0:
		return errors.New("an FN that signs no document")
	case p.FN != nil && *p.FN == FNRemove && p.touchesFN():
		return errors.New("an FN cannot be taken out and changed at once")
	}
	if p.Printer != nil {
		if _, ok := printerCodes[*p.Printer]; !ok {
			return unknownPrinter(*p.Printer)
		}
	}
	if p.Random != nil {
		return p.Random.check()
	}
	return nil
}

// touchesFN reports that something but the exchange of the FN needs it.
func (p *Patch) touchesFN() bool {
	return p.FNExpires != nil || p.FNCapacity != nil || p.HangDocument != nil || p.Confirm != nil
}

const maxClockOffset = 10 * 365 * 24 * time.Hour

// Patch changes register n. Either all of p is done or nothing.
func (r *Rack) Patch(n int, p Patch) error {
	d, err := r.device(n)
	if err != nil {
		return err
	}
	if err := p.check(); err != nil {
		return err
	}
	if err := d.patch(p); err != nil {
		return err
	}
	if p.Power != nil {
		var back time.Duration
		if p.PowerFor != nil {
			back = *p.PowerFor
		}
		d.power(*p.Power, back)
	}
	return nil
}

// patch does all but the power switch.
func (d *device) patch(p Patch) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := &d.reg
	if p.FN == nil && p.touchesFN() && r.kept.FN == nil {
		return errors.New("the register has no FN in it")
	}
	if p.FN != nil { // the one part that can still fail comes first
		if err := d.handleFN(*p.FN); err != nil {
			return err
		}
	}
	set(&r.critical, p.Critical)
	set(&r.printer, p.Printer)
	set(&r.strict, p.Strict)
	set(&d.keepOpen, p.KeepOpen)
	set(&d.service, p.ServiceTime)
	set(&d.random, p.Random)
	set(&r.kept.ClockOffset, p.ClockOffset)
	if p.Random != nil {
		d.log.Info("random faults", "seed", d.rack.o.Seed, "probability", p.Random.Probability)
	}
	if p.Temperature != nil {
		r.thermal.fixed = p.Temperature
	}
	if p.TemperatureModel != nil && *p.TemperatureModel {
		r.thermal.fixed = nil
	}
	if p.OFD != nil {
		r.ofd.turn(r, *p.OFD)
	}
	if p.FNExpires != nil {
		r.kept.FN.Expires = dayOf(*p.FNExpires)
	}
	if p.FNCapacity != nil {
		r.kept.FN.Capacity = *p.FNCapacity
	}
	if p.Confirm != nil {
		r.ofd.confirm(r, *p.Confirm)
	}
	if p.HangDocument != nil {
		r.hang(*p.HangDocument)
	}
	r.commit(nil)
	return nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// confirm lets the operator take n of the oldest documents, all with −1.
func (o *operator) confirm(r *register, n int) {
	waiting := r.unconfirmed()
	if n >= 0 {
		waiting = min(waiting, uint32(n))
	}
	r.kept.FN.Confirmed += waiting
	o.catchUp(r)
}

// handleFN takes the storage out, or puts one in.
func (d *device) handleFN(what FNAction) error {
	r := &d.reg
	switch what {
	case FNRemove:
		if r.kept.FN == nil {
			return errors.New("there is no FN to take out")
		}
		r.kept.FN, r.kept.Drawer = nil, r.kept.FN
		r.powerCut()
		return nil
	case FNInsert:
		if r.kept.Drawer == nil {
			return errors.New("no FN was taken out")
		}
		r.kept.FN, r.kept.Drawer = r.kept.Drawer, nil
		r.powerCut()
		return nil
	case FNReplace, FNFresh:
	default:
		return fmt.Errorf("unknown thing to do with an FN %q, known: %s, %s, %s, %s", what, FNReplace, FNFresh, FNRemove, FNInsert)
	}
	former := r.kept.FN
	if former == nil {
		former = r.kept.Drawer
	}
	if d.state != nil {
		if err := d.state.rotate(former.Number); err != nil {
			return fmt.Errorf("the state of the former FN could not be put aside: %w", err)
		}
	}
	g := d.firstRegistration()
	if n := len(former.Registrations); n > 0 {
		g = former.Registrations[n-1]
		g.Reason = 1 // FN change
		r.kept.Former = &former.Registrations[n-1]
	}
	r.kept.Drawer = nil
	r.kept.Generation++
	r.newStorage(d.fnNumber(), d.rack.o.Capacity)
	if what == FNReplace {
		r.enrol(g)
	}
	return nil
}

// hang leaves a document open: a receipt with one item in an open shift, else a shift being opened.
func (r *register) hang(on bool) {
	r.doc.reset()
	switch {
	case !on:
	case r.kept.FN.Shift.Open:
		r.doc.start(openReceipt)
		r.addItem(hangingItem, oldItemTags)
	default:
		r.doc.start(openShiftOpen)
	}
}

var hangingItem = []terminalfa.TLV{
	{Tag: 1030, Value: cp866("Товар")},
	terminalfa.VLN(1079, 100),
	terminalfa.FVLN(1023, 1, 0),
	terminalfa.Byte(1199, byte(fiscal.VATNone)),
	terminalfa.Byte(1214, byte(fiscal.FullPayment)),
}

// Inject lays a fault on device n.
func (r *Rack) Inject(n int, f Fault) error {
	d, err := r.device(n)
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults = append(d.faults, f)
	return nil
}

// ClearFaults takes every fault off device n, random ones too. What has struck already takes its course.
func (r *Rack) ClearFaults(n int) error {
	d, err := r.device(n)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.faults, d.random = nil, RandomFaults{}
	return nil
}
