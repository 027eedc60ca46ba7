package simulator

import (
	"bufio"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// device is one register with its line, its power switch and its faults.
type device struct {
	rack *Rack
	n    int
	log  *slog.Logger

	// turn holds one token: whoever put it there serves a connection, or uses the register as another host.
	turn chan struct{}

	mu        sync.Mutex // guards what follows, down to the buffers; never held while waiting
	reg       register
	state     *stateFile // nil: nothing is kept
	service   time.Duration
	keepOpen  bool
	faults    []Fault
	random    RandomFaults
	rand      *rand.Rand
	address   string        // as bound; "" on pipes only
	listener  net.Listener  // nil while the power is off
	conn      net.Conn      // the one being served
	powered   bool          //
	shut      bool          // the rack is closing; the power stays off
	lost      chan struct{} // closed when the power goes off; a new one for each time it is on
	back      chan struct{} // closed when the power comes back; a new one for each time it is off
	session   uint64        // counts the times the power went off
	timer     *time.Timer   // brings the power back
	exchanges uint64

	// Buffers of whoever has the turn.
	in    *bufio.Reader
	frame []byte
	out   []byte
}

const frameSize = terminalfa.MaxData + 7

// newDevice builds device n: from its state file when there is one, else registered and new.
func newDevice(r *Rack, n int) (*device, error) {
	o := &r.o
	d := &device{
		rack:     r,
		n:        n,
		log:      o.Log.With("device", n),
		turn:     make(chan struct{}, 1),
		service:  o.ServiceTime,
		keepOpen: o.KeepOpen,
		random:   o.Random,
		rand:     rand.New(rand.NewPCG(o.Rand.Uint64(), o.Rand.Uint64())),
		powered:  true,
		lost:     make(chan struct{}),
		in:       bufio.NewReaderSize(nil, 2*frameSize),
		frame:    make([]byte, 0, frameSize),
		out:      make([]byte, 0, frameSize),
	}
	d.reg = register{
		profile: o.Profile, ffd: o.FFD, lastVAT: byte(o.LastVAT), zone: o.Zone, hostNow: o.Now, log: d.log,
		strict: o.Strict, printAtCommit: o.PrintAtCommit, printer: o.Printer,
		thermal: thermal{shelf: 38 + float64(n%5)},
		ofd:     operator{on: true, every: o.AutoConfirm, next: o.Now().Add(o.AutoConfirm)},
	}
	d.reg.commit = d.save
	if o.StateDir != "" {
		if err := d.openState(o.StateDir); err != nil {
			return nil, err
		}
	}
	if d.reg.kept.Serial != "" {
		return d, d.agrees()
	}
	d.reg.kept.Serial = fmt.Sprintf("55%04d%06d", (o.Seed+199)%10000, n)
	d.reg.newStorage(d.fnNumber(), o.Capacity)
	d.reg.enrol(d.firstRegistration())
	return d, nil
}

// agrees checks that a state file belongs to a register as the options describe it.
func (d *device) agrees() error {
	g, ok := d.reg.current()
	if ok && g.INN != string(d.rack.o.INN) {
		return fmt.Errorf("the kept state is of INN %s, not %s: use another state folder", g.INN, d.rack.o.INN)
	}
	return nil
}

// fnNumber is a debug storage's number: 9999, the rack's seed, which storage of the register it is, the register.
func (d *device) fnNumber() string {
	return fmt.Sprintf("9999%04d%02d%06d", (d.rack.o.Seed+789)%10000, d.reg.kept.Generation%100, d.n)
}

// firstRegistration is what a register comes with.
func (d *device) firstRegistration() registration {
	o := &d.rack.o
	ordinal := o.Seed%10000*100000 + uint64(d.n)
	g := registration{
		INN:     string(o.INN),
		RNM:     makeRNM(ordinal, string(o.INN), d.reg.kept.Serial),
		Modes:   o.Modes,
		Tax:     byte(o.TaxSystems),
		User:    cp866("ООО Тест"),
		OFDINN:  []byte("7709364346  "),
		OFDName: cp866("ОФД Тест"),
		Sender:  []byte("noreply@example.com"),
	}
	if o.FFD != fiscal.FFD12 {
		g.Agents = byte(o.Agents)
	}
	if !o.NoPlace {
		g.Address = cp866("г. Тест, ул. Новая, 1")
		g.Place = []byte("https://shop.example")
		g.Automat = fmt.Appendf(nil, "A-%06d", d.n)
	}
	return g
}

// cp866 encodes one of the texts of this package, all of which CP866 has.
func cp866(s string) []byte {
	t, err := terminalfa.String(0, s)
	if err != nil {
		panic(fmt.Sprintf("simulator: %q: %v", s, err))
	}
	return t.Value
}

// start gives the device its port and begins to accept.
func (d *device) start(l net.Listener) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.address = l.Addr().String()
	if a, err := netip.ParseAddrPort(d.address); err == nil && a.Addr().Unmap().Is4() {
		ip := a.Addr().Unmap().As4()
		copy(d.reg.network[:], ip[:])
		copy(d.reg.network[4:], []byte{255, 0, 0, 0})
	}
	if d.powered {
		d.listener = l
	} else {
		_ = l.Close() //nolint:errcheck // nothing was accepted on it
	}
	d.rack.wg.Go(func() { d.accept(l) })
}

// power is the switch. Turned off, the port is closed, the connection in hand reset and the document being built lost;
// after a while above zero the power comes back by itself.
func (d *device) power(on bool, back time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if on {
		d.powerOn()
		return
	}
	d.powerOff()
	if back > 0 && !d.shut {
		session := d.session
		d.timer = time.AfterFunc(back, func() {
			d.mu.Lock()
			defer d.mu.Unlock()
			if d.session == session {
				d.powerOn()
			}
		})
	}
}

func (d *device) powerOn() {
	if d.powered || d.shut {
		return
	}
	d.powered = true
	d.lost = make(chan struct{})
	close(d.back)
}

func (d *device) powerOff() {
	if !d.powered {
		return
	}
	d.powered = false
	d.session++
	d.back = make(chan struct{})
	close(d.lost)
	d.reg.powerCut()
	if d.listener != nil {
		_ = d.listener.Close() //nolint:errcheck // it is gone either way
		d.listener = nil
	}
	if d.conn != nil {
		reset(d.conn)
	}
}

// shutdown turns the power off for good.
func (d *device) shutdown() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.shut = true
	if d.timer != nil {
		d.timer.Stop()
	}
	d.powerOff()
}

// save is the register's commit: one line in the state file. A register whose state cannot be written goes on working,
// as the archive in memory is whole; the loss is logged.
func (d *device) save(doc *record) {
	if d.state == nil {
		return
	}
	if err := d.state.append(&d.reg.kept, doc); err != nil {
		d.log.Error("the state was not written", "error", err)
	}
}
