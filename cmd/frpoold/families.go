package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"frpoold/config"
	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/driver/probe"
	"frpoold/driver/terminalfa"
	"frpoold/fiscal"
)

// families is the one place that names protocol families.
var families = map[string]driver.Opener{
	terminalfa.Family: terminalfa.Open,
}

// probeWait is how long a register may take to answer the probe of protocols/terminal-fa.md §13.
const probeWait = 3 * time.Second

// opener makes devices of the configured types. A type of family "auto" is probed on each connect: who answers may have
// changed, and what is remembered from the last time would be a guess.
func opener(cfg *config.Config) func(ctx context.Context, typ string, d link.Dialer, trace func(fiscal.Exchange)) (driver.Device, error) {
	return func(ctx context.Context, typ string, d link.Dialer, trace func(fiscal.Exchange)) (driver.Device, error) {
		t, ok := cfg.Types[typ]
		if !ok {
			return nil, internal(fmt.Errorf("type %q is no longer in the configuration", typ))
		}
		family := t.Family
		if family == config.FamilyAuto {
			found, err := probe.Find(ctx, d, probeWait)
			if err != nil {
				return nil, err
			}
			family = found
		}
		open, ok := families[family]
		if !ok && t.Family != config.FamilyAuto {
			return nil, &fiscal.UserError{Class: fiscal.ClassConflict, Code: "family_not_driven",
				Message: fmt.Sprintf("type %s is a register of the %s family, which this version does not drive; it drives terminalfa", typ, family)}
		}
		if !ok {
			return nil, &fiscal.Error{Op: "open", Kind: fiscal.Attention, Effect: fiscal.Nothing,
				Err: fmt.Errorf("the register answers as %s, which this version does not drive: %w", family, fiscal.ErrOtherFamily)}
		}
		o := cfg.DriverOptions(typ, family)
		o.Trace = trace
		return open(ctx, d, o)
	}
}

func internal(err error) error {
	return &fiscal.Error{Op: "open", Kind: fiscal.Internal, Effect: fiscal.Nothing, Err: err}
}

// dialer makes the dialer of an eip.
func dialer(cfg *config.Config) func(typ string, id fiscal.DeviceID) (link.Dialer, error) {
	return func(typ string, id fiscal.DeviceID) (link.Dialer, error) {
		if strings.HasPrefix(string(id), "serial:") {
			return nil, &fiscal.UserError{Class: fiscal.ClassConflict, Code: "line_not_driven",
				Message: "serial lines are not driven by this version: put a serial-to-Ethernet box in front of the register"}
		}
		family := cfg.Types[typ].Family
		return link.TCP{Address: string(id), Timeout: cfg.DriverOptions(typ, family).Timeouts.Connect}, nil
	}
}
