package terminalfa

import (
	"context"

	"frpoold/driver"
	"frpoold/driver/link"
	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// Family is the name of this protocol family.
const Family = "terminalfa"

// Device is one register. It implements driver.Device and every optional interface but nothing of it may be used from
// two goroutines.
type Device struct {
	dialer link.Dialer
	opts   driver.Options

	out, in []byte // scratch for frames

	identity fiscal.Identity // of the last Identify; the shape of receipts depends on it
	known    bool

	printByteOnCommit bool // this firmware wants the print byte on 22 / 2A (§5.2)
	placeUnknown      bool // this firmware has neither 3B nor 1F, both of configuration 1.0.22 (§4)
	shift             shiftCache
	torn              tornTLV // what 36 is in the middle of, for masking
}

// shiftCache keeps when a shift was opened, read once from its opening report.
type shiftCache struct {
	fn       string
	number   uint32
	openedAt fiscal.DeviceTime
}

var (
	_ driver.Device   = (*Device)(nil)
	_ driver.Shifter  = (*Device)(nil)
	_ driver.Clocked  = (*Device)(nil)
	_ driver.Reporter = (*Device)(nil)
)

// Open makes a Device over d. Nothing is sent until the first operation.
func Open(_ context.Context, d link.Dialer, o driver.Options) (driver.Device, error) {
	return &Device{
		dialer: d,
		opts:   o,
		out:    make([]byte, 0, 1030),
		in:     make([]byte, 0, 1030),
	}, nil
}

// Close has nothing to release: each command had its own line.
func (d *Device) Close() error { return nil }

// CancelDocument drops a begun document (0x10). A register that answers "wrong state" has none open (§11.4).
func (d *Device) CancelDocument(ctx context.Context) error {
	_, err := d.exchange(ctx, "CancelDocument", wire.Bare{Cmd: wire.CmdCancel})
	if code, refused := refusal(err); refused && code == codeWrongState {
		return nil
	}
	return err
}

// SetClock sets the register's clock (0x72, tag 30000).
func (d *Device) SetClock(ctx context.Context, t fiscal.DeviceTime) error {
	_, err := d.exchange(ctx, "SetClock", wire.TLVRequest{Cmd: wire.CmdSetClock, List: []wire.TLV{wire.DT5(wire.TagClock, t)}})
	return err
}
