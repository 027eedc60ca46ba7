package terminalfa_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/driver/drivertest"
	"frpoold/driver/terminalfa"
	"frpoold/fiscal"
	"frpoold/simulator"
)

// outcome is what a fault must come to at the command that makes the document. Before it, everything but success is
// Nothing.
type outcome uint8

const (
	succeeds outcome = iota
	unknown          // and the archive decides
	nothing
)

// simulated are the faults of the simulator, which act on its own side of the line: noise, repeats, lateness and reboots
// are not the tap's. Delays are longer than a commit may take.
var simulated = map[simulator.FaultKind]struct {
	at    outcome
	delay time.Duration
	code  byte
}{
	simulator.DropRequest:  {at: unknown},
	simulator.DropReply:    {at: unknown},
	simulator.DelayRequest: {at: unknown, delay: 90 * time.Second},
	simulator.DelayReply:   {at: unknown, delay: 90 * time.Second},
	simulator.SplitReply:   {at: succeeds},
	simulator.NoiseBefore:  {at: succeeds},
	simulator.NoiseAfter:   {at: succeeds},
	simulator.CorruptCRC:   {at: unknown},
	simulator.CorruptData:  {at: unknown},
	simulator.RepeatReply:  {at: succeeds},
	simulator.CutRequest:   {at: unknown},
	simulator.CutReply:     {at: unknown},
	simulator.HalfReply:    {at: unknown},
	simulator.Rubbish:      {at: unknown},
	simulator.ResetBefore:  {at: unknown},
	simulator.ResetAfter:   {at: unknown},
	simulator.CloseAfter:   {at: unknown},
	simulator.RefuseCode:   {at: nothing, code: 0x35},
	simulator.RefuseAfter:  {at: unknown, code: 0x35},
	simulator.RebootBefore: {at: unknown},
	simulator.RebootAfter:  {at: unknown},
	simulator.Hang:         {at: unknown},
}

// steps are the commands of a sale, the last of which makes it.
var steps = map[fiscal.FFD][]byte{fiscal.FFD105: {0x23, 0x2B, 0x2D, 0x24}, fiscal.FFD12: {0x23, 0x96, 0x2D, 0x98, 0x24}}

func TestEverySimulatedFaultAtEveryStep(t *testing.T) {
	t.Parallel()
	for ffd, commands := range steps {
		for kind, want := range simulated {
			t.Run(fmt.Sprintf("%s %s", ffd, kind), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					b := newBench(t, simulator.Options{FFD: ffd})
					d := b.ready(t)
					for i, command := range commands {
						made, doc, err := b.sale(t, d, simulator.Fault{
							Kind: kind, Command: simulator.FaultCommand(command), Count: 1, Delay: want.delay, Code: want.code,
						})
						what := fmt.Sprintf("%s at %02X", kind, command)
						require.LessOrEqual(t, len(made), 1, what)
						agree(t, what, made, doc, err)
						switch {
						case want.at == succeeds:
							require.NoError(t, err, what)
						case want.at == nothing, i < len(commands)-1:
							require.Equal(t, fiscal.Nothing, fiscal.EffectOf(err), "%s: %v", what, err)
						default:
							require.Equal(t, fiscal.Unknown, fiscal.EffectOf(err), "%s: %v", what, err)
						}
						b.settled(t, d)
						made, _, err = b.sale(t, d)
						require.NoError(t, err, "the sale after %s", what)
						require.Len(t, made, 1)
					}
				})
			})
		}
	}
}

// A day of bad luck: faults strike at random, again and again, while sales are made and settled. Nothing that is claimed
// may disagree with the archive.
func TestRandomFaults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(8) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t, simulator.Options{Seed: 1 + seed})
				d := b.ready(t)
				random := simulator.RandomFaults{Probability: 0.15, Delay: 2 * time.Minute}
				outcomes := map[string]int{}
				for n := range 60 {
					b.patch(simulator.Patch{Random: &random})
					made, doc, err := b.sale(t, d)
					require.NoError(t, b.rack.ClearFaults(1))
					require.LessOrEqual(t, len(made), 1)
					agree(t, fmt.Sprintf("sale %d", n), made, doc, err)
					word := "made"
					if err != nil {
						word = fiscal.EffectOf(err).String()
					}
					outcomes[fmt.Sprintf("%s, %d documents", word, len(made))]++
					b.settled(t, d)
				}
				t.Log(outcomes)
			})
		})
	}
}

// ready opens a device on the bench's pipe and a shift on the register.
func (b *bench) ready(t *testing.T) driver.Device {
	t.Helper()
	d, err := terminalfa.Open(t.Context(), b.onPipe(), driver.Options{Timeouts: production})
	require.NoError(t, err)
	_, err = d.Identify(t.Context())
	require.NoError(t, err)
	_, err = d.(driver.Shifter).OpenShift(t.Context(), fiscal.Cashier{})
	require.NoError(t, err)
	return d
}

// sale makes one under the given faults and returns what was made of it, once the register has come to rest.
func (b *bench) sale(t *testing.T, d driver.Device, faults ...simulator.Fault) (made []drivertest.Document, doc fiscal.Document, err error) {
	t.Helper()
	before := b.device()
	r := sheetSale()
	base := sheetBaseline(true)
	base.FN, base.LastFD = before.FN, fiscal.DocNumber(before.Documents)
	for _, f := range faults {
		require.NoError(t, b.rack.Inject(1, f))
	}
	doc, err = d.Register(t.Context(), r, base)
	time.Sleep(10 * time.Minute) // in fake time: whatever is late has come, and the power is back
	return b.documents()[before.Documents:], doc, err
}

// settled brings a register to where the next job begins, as a worker does: what hangs is cancelled.
func (b *bench) settled(t *testing.T, d driver.Device) {
	t.Helper()
	require.NoError(t, b.rack.ClearFaults(1))
	require.NoError(t, d.CancelDocument(t.Context()))
	ref, err := d.LastDocument(t.Context())
	require.NoError(t, err)
	require.Zero(t, ref.Open)
	require.Equal(t, fiscal.DocNumber(b.device().Documents), ref.Last)
}

// agree compares a claim with the archive.
func agree(t *testing.T, what string, made []drivertest.Document, doc fiscal.Document, err error) {
	t.Helper()
	if err == nil {
		require.Len(t, made, 1, what)
		want := made[0].Document
		want.Full = true
		require.Equal(t, want, doc, what)
		return
	}
	var e *fiscal.Error
	require.ErrorAs(t, err, &e, what)
	require.False(t, errors.Is(err, context.Canceled), what)
	switch e.Effect {
	case fiscal.Nothing:
		require.Empty(t, made, "%s: %v", what, err)
	case fiscal.Done:
		require.Len(t, made, 1, "%s: %v", what, err)
	case fiscal.Unknown:
	default:
		require.Fail(t, "an effect nobody knows", what)
	}
}
