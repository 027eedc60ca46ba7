package terminalfa_test

import (
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/driver/drivertest"
	"frpoold/driver/link"
	"frpoold/driver/terminalfa"
	"frpoold/fiscal"
	"frpoold/simulator"
)

// benchClock is the host's clock of a simulated register: it runs with the process's, from 14 March 2026, 09:05 in
// Moscow, and can be moved on.
type benchClock struct {
	mu  sync.Mutex
	off time.Duration
}

func newBenchClock() *benchClock {
	return &benchClock{off: time.Until(time.Date(2026, 3, 14, 6, 5, 1, 0, time.UTC))}
}

func (c *benchClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.off)
}

func (c *benchClock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off += d
}

// bench is one simulated register.
type bench struct {
	t     *testing.T
	rack  *simulator.Rack
	o     simulator.Options
	clock *benchClock

	seen    simulator.Device // when archive was last read
	archive []drivertest.Document
}

// times of a register that answers: far more than it needs, even under -race on a busy machine.
var patient = driver.Timeouts{Connect: 20 * time.Second, Reply: 20 * time.Second, Commit: 20 * time.Second, Gap: 20 * time.Second}

// production are the times of the default configuration.
var production = driver.Timeouts{Connect: 5 * time.Second, Reply: 20 * time.Second, Commit: 60 * time.Second, Gap: 2 * time.Second}

func newBench(t *testing.T, o simulator.Options) *bench {
	t.Helper()
	b := &bench{t: t, clock: newBenchClock()}
	o.Devices, o.Now = 1, b.clock.now
	if o.Seed == 0 {
		o.Seed = 7
	}
	rack, err := simulator.New(o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, rack.Close()) })
	b.rack, b.o = rack, o
	return b
}

// onTCP is the register on a loopback port.
func (b *bench) onTCP() link.Dialer {
	require.NoError(b.t, b.rack.Listen(b.t.Context(), "127.0.0.1:0"))
	return link.TCP{Address: b.device().Address, Timeout: patient.Connect}
}

// onPipe is the register on pipes, for a bubble.
func (b *bench) onPipe() link.Dialer { return link.Pipe{Name: "pipe", Accept: b.rack.Accept(1)} }

func (b *bench) device() simulator.Device {
	d, err := b.rack.Device(1)
	require.NoError(b.t, err)
	return d
}

func (b *bench) patch(p simulator.Patch) { require.NoError(b.t, b.rack.Patch(1, p)) }

// bench is the register as the suite wants it.
func (b *bench) bench(d link.Dialer, o driver.Options) drivertest.Bench {
	return drivertest.Bench{
		Open:       terminalfa.Open,
		Dialer:     d,
		Options:    o,
		Impatience: o.Timeouts,
		Now:        time.Now,
		Identity:   b.identity(o),
		Limits:     b.limits(),
		Archive:    b.documents,
		Expect:     b.expect,
		Refuse:     b.refuse,
		Hang:       func() { hang := true; b.patch(simulator.Patch{HangDocument: &hang}) },
		Foreign: func() {
			_, err := b.rack.MakeForeignReceipt(b.t.Context(), 1, 777_00)
			require.NoError(b.t, err)
		},
		ReplaceFN: func() { fn := simulator.FNReplace; b.patch(simulator.Patch{FN: &fn}) },
		Clock:     func() fiscal.DeviceTime { return b.device().Clock },
		Advance:   b.clock.advance,
		Power:     func(on bool) { b.patch(simulator.Patch{Power: &on}) },
	}
}

// identity is what the register must say, from the options it was built with.
func (b *bench) identity(o driver.Options) fiscal.Identity {
	d := b.device()
	id := fiscal.Identity{
		Family: "terminalfa", Model: d.Model, Serial: d.Serial, Firmware: "FA 01.05", FN: d.FN, FNFirmware: "fn_v_1_1_2",
		INN: d.INN, RNM: d.RNM, FFD: d.FFD, VATs: o.VATRates,
		TaxSystems: fiscal.TaxOSN | fiscal.TaxUSNIncome, Modes: 0x24,
	}
	if b.o.Modes != 0 {
		id.Modes = b.o.Modes
	}
	if d.FFD != fiscal.FFD12 {
		id.Agents = b.o.Agents
	}
	if !b.o.NoPlace {
		id.Address, id.Place, id.DeviceNumber = "г. Тест, ул. Новая, 1", "https://shop.example", "A-000001"
	}
	return id
}

// limits are those of the sheet's §5.3 and §8.
func (b *bench) limits() drivertest.Limits {
	l := drivertest.Limits{
		Items: 100, ItemAgents: b.o.Agents, ReceiptAgents: b.o.Agents,
		TransferName: 64, Address: 164, SupplierName: 64,
		NeedsPlace: b.o.NoPlace, Content: 30 * 24 * time.Hour,
	}
	last := fiscal.Subject(19)
	if b.device().FFD == fiscal.FFD12 {
		last = fiscal.SubjectCasinoPayment
		l.ItemAgents, l.ReceiptAgents = 0x7F, 0
	}
	for code := fiscal.SubjectCommodity; code <= last; code++ {
		l.Subjects = append(l.Subjects, code)
	}
	l.Temperature = func() (int, bool) { return b.device().Temperature, b.o.Profile == simulator.PKFA12 }
	return l
}

// Codes of the sheet's §7 for each class: payments differ from the total, memory for the OFD full, FN error.
var classCodes = map[drivertest.Class]byte{drivertest.ContentFault: 0x39, drivertest.DeviceFault: 0x14, drivertest.StorageFault: 0x03}

func (b *bench) refuse(r drivertest.Refusal) {
	f := simulator.Fault{Kind: simulator.RefuseCode, Code: classCodes[r.Class], Count: 1}
	if r.Commit {
		f.Command = simulator.AnyDocument
	}
	if r.Executed {
		f.Kind = simulator.RefuseAfter
	}
	require.NoError(b.t, b.rack.Inject(1, f))
}

// documents is the archive of the FN in place, read past the wire.
func (b *bench) documents() []drivertest.Document {
	d := b.device()
	if d.FN == b.seen.FN && d.Documents == b.seen.Documents {
		return b.archive
	}
	list, err := b.rack.Documents(1)
	require.NoError(b.t, err)
	if d.FN != b.seen.FN {
		b.archive = nil
	}
	for _, have := range list[len(b.archive):] {
		sign, err := strconv.ParseUint(have.FP, 10, 32)
		require.NoError(b.t, err)
		doc := drivertest.Document{Document: fiscal.Document{
			Kind: have.Kind, FN: d.FN, Number: have.FD, Sign: fiscal.Sign(sign), Time: have.Datetime,
			Shift: uint32(have.Shift), Receipt: uint32(have.Receipt), Operation: have.Operation, Total: have.Total,
			Marks: fiscal.Marks{CheckProps: have.CheckProps, UserProps: have.UserProps},
		}}
		switch have.Kind {
		case fiscal.KindReceipt:
			content := readReceipt(b.t, have.TLV)
			doc.Content = &content
		case fiscal.KindSettlement:
			doc.Shift = 0 // the short record of a report has no shift (§5.7)
		default:
		}
		b.archive = append(b.archive, doc)
	}
	b.seen = d
	return b.archive
}

// expect is what the archive of such a register holds of a receipt (§5.3, §5.7, §8, §15).
func (b *bench) expect(r fiscal.Receipt) fiscal.Receipt {
	items := r.Items
	r.Items = nil
	ffd12 := b.device().FFD == fiscal.FFD12
	for _, it := range items {
		if ffd12 {
			it.Unit, it.ProductCode = "", ""
		} else {
			it.Measure = 0
		}
		r.Items = append(r.Items, it)
	}
	id := b.identity(driver.Options{})
	switch {
	case ffd12 && !b.o.NoPlace:
		r.Address, r.Place, r.DeviceNumber = id.Address, id.Place, id.DeviceNumber
	case !b.o.NoPlace:
		r.Address, r.Place, r.DeviceNumber = "", "", id.DeviceNumber
	}
	if !ffd12 {
		r.Internet = id.Modes&0x20 != 0
	}
	return r
}
