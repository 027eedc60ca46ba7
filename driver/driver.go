// Package driver is the contract between the pool and the protocol families.
//
// A family turns the operations below into exchanges on a line and answers in the words of package fiscal. It must not
// know jobs, queues or stores, must not retry anything that could make a document, and must not log: it returns errors,
// and reports each exchange to Options.Trace.
//
// Every error is a *fiscal.Error. Its Effect is the heart of the contract: Nothing is claimed only with proof (no byte
// was sent, or the register said no and its last document number was seen unmoved), and everything else stays Unknown.
package driver

import (
	"context"
	"time"

	"frpoold/driver/link"
	"frpoold/fiscal"
)

// Device is one register behind one dialer. It has exactly one caller at a time: its pool worker.
type Device interface {
	// Identify reads who the register is. It changes nothing.
	Identify(ctx context.Context) (fiscal.Identity, error)
	// Status reads how the register is. It changes nothing, whatever it finds.
	Status(ctx context.Context) (fiscal.Status, error)
	// LastDocument reads where the FN stands, as cheaply as the family can. It changes nothing.
	LastDocument(ctx context.Context) (fiscal.DocumentRef, error)
	// Document reads one document from the archive. It changes nothing. A number the archive does not have is
	// fiscal.ErrNoDocument; a document whose content is gone comes back with Full unset.
	Document(ctx context.Context, n fiscal.DocNumber) (fiscal.Document, error)
	// CancelDocument drops a document that was begun and not finished. With nothing open it succeeds.
	CancelDocument(ctx context.Context) error
	// Register makes a receipt in the open shift. It is NOT repeatable. b is where the FN stood before: a document with
	// any other number than b.LastFD+1, or a refusal with the number moved, is reported as Unknown. The stamp of b goes
	// onto the receipt.
	Register(ctx context.Context, r fiscal.Receipt, b fiscal.Baseline) (fiscal.Document, error)
	// Close releases the line.
	Close() error
}

// Shifter opens and closes shifts. Both are documents; after an error of unknown effect, ask LastDocument.
type Shifter interface {
	OpenShift(ctx context.Context, op fiscal.Cashier) (fiscal.Document, error)
	CloseShift(ctx context.Context, op fiscal.Cashier) (fiscal.Document, error)
}

// Clocked sets the register's clock.
type Clocked interface {
	SetClock(ctx context.Context, t fiscal.DeviceTime) error
}

// Reporter makes a report on the current state of settlements (FFD form 21), a document that changes no total.
type Reporter interface {
	Report(ctx context.Context, op fiscal.Cashier) (fiscal.Document, error)
}

// Timeouts bound the parts of an exchange.
type Timeouts struct {
	Connect time.Duration `yaml:"connect"` // until the line stands
	Reply   time.Duration `yaml:"reply"`   // until the first byte of an ordinary answer
	Commit  time.Duration `yaml:"commit"`  // until the first byte of the answer to a command that makes a document
	Gap     time.Duration `yaml:"gap"`     // between two bytes of one answer
}

// Options are what a family may be told about one device.
type Options struct {
	Timeouts Timeouts
	// PrintReports asks for paper copies of shift reports; registers in racks have no printer.
	PrintReports bool
	// VATRates overrides what the family believes the firmware knows; 0 leaves it to the family.
	VATRates fiscal.VATSet
	// Temperature says where the register's own temperature stands in its answers.
	Temperature TemperatureSource
	// Trace is called after each exchange, from the caller's goroutine. Buyers' contacts in it are already masked.
	Trace func(fiscal.Exchange)
}

// TemperatureSource is a place in a status answer (design.md §6). The zero value means none.
type TemperatureSource struct {
	StatusTail bool // a signed byte behind the known part of the status answer
	Offset     int  // its offset from the beginning of the answer's data
}

// Opener makes a Device over d. It may talk to the register or leave that to the first operation.
type Opener func(ctx context.Context, d link.Dialer, o Options) (Device, error)
