package simulator

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"frpoold/driver/wire/terminalfa"
)

// FaultKind is a way an exchange goes wrong. Faults act on bytes: the model below them never knows.
type FaultKind string

// Kinds of faults. "Silent" means that the connection stays open and nothing is said until the client goes or 30 s have
// passed. "Executed" means that the model did what the request says, so a document exists although nobody was told.
const (
	DropRequest  FaultKind = "drop_request"  // not executed; silent
	DropReply    FaultKind = "drop_reply"    // executed; silent
	DelayRequest FaultKind = "delay_request" // executed and answered only after Delay, even if the client has gone
	DelayReply   FaultKind = "delay_reply"   // executed at once, answered after Delay
	SplitReply   FaultKind = "split_reply"   // executed; AfterBytes of the reply (2), after Delay (1 s) the rest
	NoiseBefore  FaultKind = "noise_before"  // executed; AfterBytes (16) of noise in front of the reply
	NoiseAfter   FaultKind = "noise_after"   // executed; AfterBytes (16) of noise behind the reply
	CorruptCRC   FaultKind = "corrupt_crc"   // executed; the reply's check does not fit
	CorruptData  FaultKind = "corrupt_data"  // executed; one byte of the reply is another, its check is the old one
	RepeatReply  FaultKind = "repeat_reply"  // executed; the reply comes twice
	CutRequest   FaultKind = "cut_request"   // not executed; connection reset after AfterBytes of the request (5, the least)
	CutReply     FaultKind = "cut_reply"     // executed; connection closed after AfterBytes of the reply (half of it)
	HalfReply    FaultKind = "half_reply"    // executed; half of the reply, then silent
	Rubbish      FaultKind = "rubbish"       // executed; AfterBytes (32) random bytes in place of the reply
	ResetBefore  FaultKind = "reset_before"  // not executed; connection reset
	ResetAfter   FaultKind = "reset_after"   // executed; connection reset
	CloseAfter   FaultKind = "close_after"   // executed; connection closed in good order without a byte
	RefuseCode   FaultKind = "refuse_code"   // not executed; refused with Code
	RefuseAfter  FaultKind = "refuse_after"  // executed; refused with Code all the same
	RebootBefore FaultKind = "reboot_before" // not executed; power lost for Delay (Options.Restart)
	RebootAfter  FaultKind = "reboot_after"  // executed; power lost for Delay (Options.Restart) before a byte is said
	Hang         FaultKind = "hang"          // not executed; silent for as long as the client stays
)

// Traits of a kind: what it does with the request, and which fields it reads.
type faultTraits struct {
	before     bool // decided before the model sees the request
	needsDelay bool // Delay must be given
	code       bool // Code must be given
	delay      time.Duration
	afterBytes int // default; -1 means half of the reply
}

var faultKinds = map[FaultKind]faultTraits{
	DropRequest:  {before: true},
	DropReply:    {},
	DelayRequest: {before: true, needsDelay: true},
	DelayReply:   {needsDelay: true},
	SplitReply:   {delay: time.Second, afterBytes: 2},
	NoiseBefore:  {afterBytes: 16},
	NoiseAfter:   {afterBytes: 16},
	CorruptCRC:   {},
	CorruptData:  {},
	RepeatReply:  {},
	CutRequest:   {before: true, afterBytes: codeEnd},
	CutReply:     {afterBytes: -1},
	HalfReply:    {afterBytes: -1},
	Rubbish:      {afterBytes: 32},
	ResetBefore:  {before: true},
	ResetAfter:   {},
	CloseAfter:   {},
	RefuseCode:   {before: true, code: true},
	RefuseAfter:  {code: true},
	RebootBefore: {before: true},
	RebootAfter:  {},
	Hang:         {before: true},
}

// allKinds is faultKinds in the order of their declaration, so that a seed means the same run every time.
var allKinds = []FaultKind{
	DropRequest, DropReply, DelayRequest, DelayReply, SplitReply, NoiseBefore, NoiseAfter, CorruptCRC, CorruptData, RepeatReply,
	CutRequest, CutReply, HalfReply, Rubbish, ResetBefore, ResetAfter, CloseAfter, RefuseCode, RefuseAfter, RebootBefore, RebootAfter, Hang,
}

// FaultCommand says which requests a fault strikes: AnyCommand, AnyDocument, or one command's code.
type FaultCommand uint16

// Not a single command.
const (
	AnyCommand  FaultCommand = 0
	AnyDocument FaultCommand = 0x100 // every command that makes a document: 13 15 22 24 26 28 2A E3
)

// Command strikes one command.
func Command(c terminalfa.Command) FaultCommand { return FaultCommand(c) }

func (c FaultCommand) matches(command byte) bool {
	switch c {
	case AnyCommand:
		return true
	case AnyDocument:
		return makesDocument(command)
	default:
		return c == FaultCommand(command)
	}
}

func (c FaultCommand) String() string {
	switch c {
	case AnyCommand:
		return "any"
	case AnyDocument:
		return "document"
	default:
		return fmt.Sprintf("%02X", uint16(c))
	}
}

// MarshalText writes "any", "document" or two hex digits.
func (c FaultCommand) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads what MarshalText writes, and "0x24" too.
func (c *FaultCommand) UnmarshalText(b []byte) error {
	switch s := string(b); s {
	case "", "any":
		*c = AnyCommand
	case "document":
		*c = AnyDocument
	default:
		n, err := strconv.ParseUint(strings.TrimPrefix(strings.ToLower(s), "0x"), 16, 8)
		if err != nil || n == 0 {
			return fmt.Errorf(`command %q, want "any", "document" or a code in hex such as "24"`, s)
		}
		*c = FaultCommand(n)
	}
	return nil
}

// Fault is one fault laid on one device.
type Fault struct {
	Kind       FaultKind
	Command    FaultCommand
	Count      int           // how often it strikes; 0: until cleared
	Skip       int           // so many matching requests pass first
	AfterBytes int           // 0: the kind's default
	Delay      time.Duration // 0: the kind's default
	Code       byte          // of RefuseCode and RefuseAfter
}

const maxFaultDelay = 10 * time.Minute

// check says in a sentence what is wrong with f.
func (f Fault) check() error {
	traits, ok := faultKinds[f.Kind]
	switch {
	case !ok:
		return fmt.Errorf("unknown fault kind %q, known: %v", f.Kind, allKinds)
	case f.Command > AnyDocument:
		return fmt.Errorf("fault command %d is no command's code", uint16(f.Command))
	case f.Count < 0 || f.Skip < 0:
		return fmt.Errorf("count %d and skip %d must not be below zero", f.Count, f.Skip)
	case f.AfterBytes < 0 || f.AfterBytes > terminalfa.MaxData:
		return fmt.Errorf("after_bytes %d, want 0 to %d", f.AfterBytes, terminalfa.MaxData)
	case f.Kind == CutRequest && f.AfterBytes > 0 && f.AfterBytes < codeEnd:
		return fmt.Errorf("after_bytes %d of a %s fault, want %d or more", f.AfterBytes, f.Kind, codeEnd)
	case f.Delay < 0 || f.Delay > maxFaultDelay:
		return fmt.Errorf("delay %s, want 0s to %s", f.Delay, maxFaultDelay)
	case traits.needsDelay && f.Delay == 0:
		return fmt.Errorf("a %s fault needs a delay", f.Kind)
	case traits.code && f.Code == 0:
		return fmt.Errorf("a %s fault needs a code", f.Kind)
	case !traits.code && f.Code != 0:
		return fmt.Errorf("a %s fault has no code", f.Kind)
	}
	return nil
}

// withDefaults fills in what the kind leaves open.
func (f Fault) withDefaults(restart time.Duration) Fault {
	traits := faultKinds[f.Kind]
	if f.AfterBytes == 0 {
		f.AfterBytes = traits.afterBytes
	}
	if f.Delay == 0 {
		f.Delay = traits.delay
	}
	if f.Delay == 0 && (f.Kind == RebootBefore || f.Kind == RebootAfter) {
		f.Delay = restart
	}
	return f
}

// strike is the fault that hits a request, if any. Faults are asked in the order they were laid; the first that is due
// is the only one to strike.
//
// A cut_request is due while the request is still being read, so cutAt has asked for it before.
func (d *device) strike(command byte) (Fault, bool) {
	if hit, ok := d.strikeIf(command, func(k FaultKind) bool { return k != CutRequest }); ok {
		return hit, true
	}
	if d.random.Probability > 0 && d.random.Command.matches(command) && d.rand.Float64() < d.random.Probability {
		return d.random.pick(d.rand).withDefaults(d.rack.o.Restart), true
	}
	return Fault{}, false
}

func (d *device) strikeIf(command byte, kind func(FaultKind) bool) (Fault, bool) {
	for i := range d.faults {
		f := &d.faults[i]
		if !kind(f.Kind) || !f.Command.matches(command) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		hit := *f
		if f.Count == 1 {
			d.faults = append(d.faults[:i], d.faults[i+1:]...)
		} else if f.Count > 1 {
			f.Count--
		}
		return hit.withDefaults(d.rack.o.Restart), true
	}
	return Fault{}, false
}

// RandomFaults strike exchanges by chance, for torture runs. With the same seed and the same requests a device fails
// the same way.
type RandomFaults struct {
	Probability float64       // 0…1 per exchange; 0 switches them off
	Command     FaultCommand  // which requests
	Kinds       []FaultKind   // nil: all but Hang
	Delay       time.Duration // of delays and reboots, at most; 0: 1 s
}

// check says in a sentence what is wrong with f.
func (f RandomFaults) check() error {
	if math.IsNaN(f.Probability) || f.Probability < 0 || f.Probability > 1 {
		return fmt.Errorf("probability %v of random faults, want 0 to 1", f.Probability)
	}
	for _, k := range f.Kinds {
		if _, ok := faultKinds[k]; !ok {
			return fmt.Errorf("unknown fault kind %q, known: %v", k, allKinds)
		}
	}
	if f.Command > AnyDocument {
		return fmt.Errorf("fault command %d is no command's code", uint16(f.Command))
	}
	if f.Delay < 0 || f.Delay > maxFaultDelay {
		return fmt.Errorf("delay %s of random faults, want 0s to %s", f.Delay, maxFaultDelay)
	}
	return nil
}

// randomCodes are refusals a healthy host meets without having caused them.
var randomCodes = []byte{0x01, 0x02, 0x03, 0x04, 0x16, 0x25, 0x30, 0x35, 0x7F}

func (f RandomFaults) pick(r *rand.Rand) Fault {
	kinds := f.Kinds
	if len(kinds) == 0 {
		kinds = allKinds[:len(allKinds)-1] // Hang is the last
	}
	most := f.Delay
	if most == 0 {
		most = time.Second
	}
	hit := Fault{Kind: kinds[r.IntN(len(kinds))], Delay: 1 + time.Duration(r.Int64N(int64(most)))}
	switch {
	case faultKinds[hit.Kind].code:
		hit.Code = randomCodes[r.IntN(len(randomCodes))]
	case faultKinds[hit.Kind].afterBytes != 0:
		hit.AfterBytes = 1 + r.IntN(24)
	}
	return hit
}
