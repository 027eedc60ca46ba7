package terminalfa_test

import (
	"testing"
	"testing/synctest"
	"time"

	"frpoold/driver"
	"frpoold/driver/drivertest"
	"frpoold/fiscal"
	"frpoold/simulator"
)

// register is one kind of register the suite runs against.
type register struct {
	name   string
	sim    simulator.Options
	opts   driver.Options
	stride int // of spoilt bytes; odd, as the two ways a line ends take turns
}

var tail = driver.TemperatureSource{StatusTail: true, Offset: 22}

// onWire run over TCP, as in a rack.
var onWire = []register{
	{name: "terminalfa 1.05"},
	{
		name: "kitonlinef 1.05, agent, cashier",
		sim:  simulator.Options{Profile: simulator.KITOnlineF, Agents: 0x7F, Modes: 0x20, LastVAT: fiscal.VAT122},
		opts: driver.Options{VATRates: fiscal.VATsUpTo(fiscal.VAT122)}, stride: 3,
	},
	{name: "pkfa12 1.2", sim: simulator.Options{Profile: simulator.PKFA12, LastVAT: fiscal.VAT122}, opts: driver.Options{Temperature: tail}, stride: 3},
}

// inBubble run over pipes in fake time with the production timeouts, so that silence costs nothing.
var inBubble = []register{
	{name: "terminalfa 1.05"},
	{name: "terminalfa 1.05, no place, strict", sim: simulator.Options{NoPlace: true, Strict: true}, stride: 3},
	{name: "terminalfa 1.05, print byte at the commit", sim: simulator.Options{PrintAtCommit: true}, stride: 3},
	{name: "kitonlinef 1.2", sim: simulator.Options{Profile: simulator.KITOnlineF, FFD: fiscal.FFD12, LastVAT: fiscal.VAT122}},
	{
		name: "pkfa12 1.2, no place, slow",
		sim:  simulator.Options{Profile: simulator.PKFA12, LastVAT: fiscal.VAT122, NoPlace: true, ServiceTime: 300 * time.Millisecond},
		opts: driver.Options{Temperature: tail}, stride: 3,
	},
}

func TestConformanceOverTCP(t *testing.T) {
	t.Parallel()
	for _, kind := range onWire {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			drivertest.Run(t, func(t *testing.T) drivertest.Bench {
				o := kind.opts
				o.Timeouts = patient
				b := newBench(t, kind.sim)
				bench := b.bench(b.onTCP(), o)
				bench.Impatience = driver.Timeouts{Connect: time.Second, Reply: 150 * time.Millisecond, Commit: 150 * time.Millisecond, Gap: 150 * time.Millisecond}
				bench.Stride, bench.SilentStride = kind.stride, 29
				return bench
			})
		})
	}
}

func TestConformanceInFakeTime(t *testing.T) {
	t.Parallel()
	for _, kind := range inBubble {
		t.Run(kind.name, func(t *testing.T) {
			t.Parallel()
			drivertest.RunIn(t, synctest.Test, func(t *testing.T) drivertest.Bench {
				o := kind.opts
				o.Timeouts = production
				b := newBench(t, kind.sim)
				bench := b.bench(b.onPipe(), o)
				bench.Stride, bench.SilentStride = kind.stride, kind.stride
				return bench
			})
		})
	}
}
