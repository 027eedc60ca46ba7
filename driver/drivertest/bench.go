package drivertest

import (
	"time"

	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/fiscal"
)

// Bench is one register on a workbench: a line to it, the truth about it, and hands that do to it what a driver cannot.
// The suite makes one per test and uses it from one goroutine. A nil function is a hand this bench does not have.
type Bench struct {
	Open    driver.Opener
	Dialer  link.Dialer    // straight to the register, which must take a second line while a device holds one
	Options driver.Options // times that a healthy register keeps even on a busy machine; Trace is the suite's own

	// Impatience replaces Options.Timeouts where a test waits a register out. Where time costs nothing (a synctest
	// bubble) it is the same as Options.Timeouts, and the tests then also check what a stalled machine could spoil.
	Impatience driver.Timeouts
	// Stride thins out the byte positions at which the line is spoilt, each of which may cost a document; SilentStride
	// those at which it falls silent, each of which costs Impatience. 0 means every byte.
	Stride, SilentStride int

	// ReadOnly forbids every test that makes a document or cancels one.
	ReadOnly bool
	// Now is the host's clock.
	Now func() time.Time
	// Identity is what the register must say of itself. Members that are zero are not compared.
	Identity fiscal.Identity
	Limits   Limits

	// Archive is what was really made, oldest first, read past the driver. The last one is what the FN made last.
	Archive func() []Document
	// Expect is what the archive will hold of a receipt this register makes: members the register does not take are
	// cleared, those it adds are set.
	Expect func(fiscal.Receipt) fiscal.Receipt

	Refuse    func(Refusal)
	Hang      func()                   // leaves a document begun, as another host would
	Foreign   func()                   // another host makes a receipt, cancelling what hangs
	ReplaceFN func()                   // a new, registered FN with an archive of its own
	Clock     func() fiscal.DeviceTime // what the register's clock shows
	Advance   func(time.Duration)      // moves the register's clock
	Power     func(on bool)
}

// Document is one document as it stands in the archive.
type Document struct {
	fiscal.Document
	Content *fiscal.Receipt // receipts: what the archive holds of it; nil when the bench cannot tell
}

// Limits are what the register on the bench takes.
type Limits struct {
	Items         int                // most on a receipt
	Subjects      []fiscal.Subject   // codes of 1212
	ReceiptAgents fiscal.AgentType   // mask: agent data of the whole receipt
	ItemAgents    fiscal.AgentType   // mask: agent data of an item
	TransferName  int                // 1026 of an item, characters
	Address       int                // 1005 of an item
	SupplierName  int                // 1225
	NeedsPlace    bool               // registered without a place of settlement: each receipt brings it
	Content       time.Duration      // how long the archive keeps a document's content; 0: not known
	Temperature   func() (int, bool) // °C as the register would report them; nil: not compared
}

// Class is why a register refuses.
type Class uint8

// Classes of refusals, and the Kind of error each must become.
const (
	ContentFault Class = iota // our receipt is wrong: fiscal.Refused
	DeviceFault               // this register cannot, another could: fiscal.Attention
	StorageFault              // the FN or the link to it failed, outcome unclear: fiscal.Attention
)

func (c Class) String() string {
	switch c {
	case ContentFault:
		return "content"
	case DeviceFault:
		return "device"
	case StorageFault:
		return "storage"
	default:
		return "class"
	}
}

func (c Class) kind() fiscal.Kind {
	if c == ContentFault {
		return fiscal.Refused
	}
	return fiscal.Attention
}

// Refusal is one refusal to come.
type Refusal struct {
	Class    Class
	Commit   bool // the next command that makes a document; else the very next command
	Executed bool // the command is carried out and refused all the same
}
