package simulator

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"time"

	"frpoold/fiscal"
)

// Profile is the kind of register a rack is made of.
type Profile string

// Profiles. PKFA12 is KIT hardware with FFD 1.2 whose answer to 0x01 ends with its temperature (design.md §6).
const (
	TerminalFA Profile = "terminalfa"
	KITOnlineF Profile = "kitonlinef"
	PKFA12     Profile = "pkfa12"
)

// Printer is the state of a register's printer.
type Printer string

// Printer states (protocols/terminal-fa.md §6.8).
const (
	PrinterNone     Printer = "none" // not connected, as on a bare Terminal-FA
	PrinterReady    Printer = "ready"
	PrinterNoPaper  Printer = "no_paper"
	PrinterJam      Printer = "jam"
	PrinterCover    Printer = "cover_open"
	PrinterCutter   Printer = "cutter_error"
	PrinterHardware Printer = "hardware_error"
)

// Limits and defaults of Options.
const (
	MaxDevices      = 1000
	DefaultINN      = fiscal.INN("7704849611")
	DefaultCapacity = fiscal.FNCapacity
	DefaultRestart  = 3 * time.Second
)

// ErrPowerOff is returned for a connection to a register without power.
var ErrPowerOff = errors.New("the register has no power")

// ErrClosed is returned once the rack was closed.
var ErrClosed = errors.New("the rack is closed")

// Options describe a rack. The zero value of each but Devices and Now has a meaning.
type Options struct {
	Devices int              // 1…MaxDevices
	Profile Profile          // "" is TerminalFA
	FFD     fiscal.FFD       // 0: 1.05, or 1.2 with PKFA12; 1.0 does not exist here
	INN     fiscal.INN       // "" is DefaultINN; any 10 or 12 digits are taken as they are
	Now     func() time.Time // the host's clock, read for the registers' clocks only

	TaxSystems fiscal.TaxSystem // mask; 0: osn and usn_income
	Agents     fiscal.AgentType // mask of the registration (FFD ≤ 1.1)
	Modes      uint8            // work modes (sheet §6.5); 0: 0x24, automatic and internet
	NoPlace    bool             // leave 1009, 1187 and 1036 out of the registration, so that each receipt must bring them
	LastVAT    fiscal.VAT       // the firmware knows VAT codes 1…LastVAT; 0: 6

	ServiceTime time.Duration // the FN's time to make a document
	Restart     time.Duration // out of reach after 0xEF and the reboot faults; 0: DefaultRestart
	Capacity    uint32        // documents an FN can sign; 0: DefaultCapacity
	AutoConfirm time.Duration // the OFD confirms the oldest document every so often; 0: never
	Printer     Printer       // "" is PrinterNone

	Strict   bool // refuse (0x28) tags a command does not list, and 0x10 with nothing open (0x02)
	KeepOpen bool // serve more than one command per connection
	// PrintAtCommit is firmware that refuses the print byte on 0x21 and 0x29 with 0x01 and takes it on 0x22 and 0x2A.
	PrintAtCommit bool
	Zone          *time.Location // of the registers' clocks; nil: Europe/Moscow

	Seed     uint64       // numbers of the registers, and of the random faults
	Rand     *rand.Rand   // source of randomness for faults; nil: made from Seed
	Random   RandomFaults // random faults from the start, on every device
	StateDir string       // "": nothing is kept on disk
	Log      *slog.Logger // nil: silent
}

// Rack is a set of software registers. Devices are numbered from 1.
type Rack struct {
	o       Options
	log     *slog.Logger
	devices []*device
	stop    chan struct{} // closed by Close
	wg      sync.WaitGroup

	mu      sync.Mutex // guards closed and control
	closed  bool
	control *controlServer
}

// New builds the registers, registered and in fiscal mode, or as StateDir has them. Nothing listens yet.
func New(o Options) (*Rack, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	r := &Rack{o: o, log: o.Log, stop: make(chan struct{})}
	for n := 1; n <= o.Devices; n++ {
		d, err := newDevice(r, n)
		if err != nil {
			_ = r.Close() //nolint:errcheck // the first error is the one to tell
			return nil, fmt.Errorf("device %d: %w", n, err)
		}
		r.devices = append(r.devices, d)
	}
	if o.Random.Probability > 0 {
		r.log.Info("random faults are on", "seed", o.Seed, "probability", o.Random.Probability)
	}
	return r, nil
}

// complete checks o and puts the defaults in.
func (o *Options) complete() error {
	if o.Now == nil {
		return errors.New("simulator: Options.Now is missing")
	}
	if o.Devices < 1 || o.Devices > MaxDevices {
		return fmt.Errorf("simulator: %d devices, want 1 to %d", o.Devices, MaxDevices)
	}
	if o.Profile == "" {
		o.Profile = TerminalFA
	}
	if o.Profile != TerminalFA && o.Profile != KITOnlineF && o.Profile != PKFA12 {
		return fmt.Errorf("simulator: unknown profile %q, known: %s, %s, %s", o.Profile, TerminalFA, KITOnlineF, PKFA12)
	}
	if o.FFD == fiscal.FFDUnknown {
		o.FFD = fiscal.FFD105
		if o.Profile == PKFA12 {
			o.FFD = fiscal.FFD12
		}
	}
	if o.FFD < fiscal.FFD105 || o.FFD > fiscal.FFD12 {
		return fmt.Errorf("simulator: FFD %s is not simulated, want 1.05, 1.1 or 1.2", o.FFD)
	}
	if o.INN == "" {
		o.INN = DefaultINN
	}
	if !allDigits(string(o.INN)) || (len(o.INN) != 10 && len(o.INN) != 12) {
		return fmt.Errorf("simulator: INN %q, want 10 or 12 digits", o.INN)
	}
	if o.TaxSystems == 0 {
		o.TaxSystems = fiscal.TaxOSN | fiscal.TaxUSNIncome
	}
	if o.Modes == 0 {
		o.Modes = modeAutomatic | modeInternet
	}
	if o.Profile != KITOnlineF {
		o.Modes |= modeAutomatic // a Terminal-FA is always registered so (sheet §5.6)
	}
	if o.LastVAT == 0 {
		o.LastVAT = fiscal.VATNone
	}
	if o.LastVAT < fiscal.VATNone || o.LastVAT > fiscal.VAT122 {
		return fmt.Errorf("simulator: last VAT code %d, want 6 to 12", o.LastVAT)
	}
	if o.Restart == 0 {
		o.Restart = DefaultRestart
	}
	if o.ServiceTime < 0 || o.Restart < 0 || o.AutoConfirm < 0 {
		return errors.New("simulator: a duration below zero")
	}
	if o.Capacity == 0 {
		o.Capacity = DefaultCapacity
	}
	if o.Printer == "" {
		o.Printer = PrinterNone
	}
	if _, ok := printerCodes[o.Printer]; !ok {
		return unknownPrinter(o.Printer)
	}
	if o.Zone == nil {
		zone, err := time.LoadLocation("Europe/Moscow")
		if err != nil {
			return fmt.Errorf("simulator: %w", err)
		}
		o.Zone = zone
	}
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(o.Seed, o.Seed^0x9E3779B97F4A7C15))
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o.Random.check()
}

// Listen opens one TCP port per device, ascending from the address's port, and begins to serve. Port 0 gives every
// device any free port. Either all devices listen or none does.
func (r *Rack) Listen(ctx context.Context, address string) error {
	host, portText, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("simulator: %w", err)
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return fmt.Errorf("simulator: port %q of %s, want 0 to 65535", portText, address)
	}
	if port != 0 && int(port)+len(r.devices)-1 > 65535 {
		return fmt.Errorf("simulator: %d devices from port %d do not fit below 65536", len(r.devices), port)
	}
	listeners := make([]net.Listener, 0, len(r.devices))
	for i := range r.devices {
		p := 0
		if port != 0 {
			p = int(port) + i
		}
		l, err := listen(ctx, net.JoinHostPort(host, strconv.Itoa(p)))
		if err != nil {
			for _, l := range listeners {
				_ = l.Close() //nolint:errcheck // nothing was accepted on it
			}
			return fmt.Errorf("simulator: device %d: %w", i+1, err)
		}
		listeners = append(listeners, l)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		for _, l := range listeners {
			_ = l.Close() //nolint:errcheck // nothing was accepted on it
		}
		return ErrClosed
	}
	for i, d := range r.devices {
		d.start(listeners[i])
	}
	return nil
}

// Serve waits until ctx ends or Close is called, closes the rack and returns what Close did.
func (r *Rack) Serve(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-r.stop:
	}
	return r.Close()
}

// Close cuts the power of every register, closes all ports and waits for the rack's goroutines. The archives can still be
// read. It is safe to call more than once.
func (r *Rack) Close() error {
	r.mu.Lock()
	first := !r.closed
	r.closed = true
	control := r.control
	r.mu.Unlock()
	if first {
		close(r.stop)
	}
	var errs []error
	if control != nil {
		errs = append(errs, control.close())
	}
	for _, d := range r.devices {
		d.shutdown()
	}
	r.wg.Wait()
	for _, d := range r.devices {
		errs = append(errs, d.closeState())
	}
	return errors.Join(errs...)
}

// run starts f as one of the rack's goroutines, unless the rack is closed.
func (r *Rack) run(f func()) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.wg.Go(f)
	return nil
}

// device finds device n.
func (r *Rack) device(n int) (*device, error) {
	if n < 1 || n > len(r.devices) {
		return nil, fmt.Errorf("no device %d: they are numbered from 1 to %d", n, len(r.devices))
	}
	return r.devices[n-1], nil
}

func allDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
