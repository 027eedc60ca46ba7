package terminalfa

import (
	"context"
	"errors"
	"strings"

	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// maxReports bounds the search for the current registration report; clients in the field probe up to 50 (§5.7).
const maxReports = 50

// Identify reads who the register is (§5.1, §9 "session start"). A register that was never registered has no INN and RNM.
func (d *Device) Identify(ctx context.Context) (fiscal.Identity, error) {
	id := fiscal.Identity{Family: Family, FFD: fiscal.FFD105}
	status, err := ask[wire.StatusReply](ctx, d, "Identify", wire.Bare{Cmd: wire.CmdStatus})
	if err != nil {
		return fiscal.Identity{}, err
	}
	id.Serial = status.Serial

	texts := []struct {
		cmd wire.Command
		to  *string
	}{
		{wire.CmdModel, &id.Model},
		{wire.CmdFirmware, &id.Firmware},
		{wire.CmdFNNumber, &id.FN},
		{wire.CmdFNFirmware, &id.FNFirmware},
	}
	for _, t := range texts {
		reply, err := ask[wire.Text](ctx, d, "Identify", wire.Bare{Cmd: t.cmd})
		if err != nil && !errors.As(err, new(*wire.Refusal)) {
			return fiscal.Identity{}, err
		}
		*t.to = reply.Value
	}

	var configuration wire.Text
	var expiry wire.FNExpiryReply
	var registration wire.RegistrationReply
	var ffd wire.FFDReply
	err = errors.Join(
		optional(ctx, d, wire.CmdConfiguration, &configuration),
		optional(ctx, d, wire.CmdFNExpiry, &expiry),
		optional(ctx, d, wire.CmdRegistration, &registration),
		optional(ctx, d, wire.CmdFFD, &ffd),
	)
	if err != nil {
		return fiscal.Identity{}, err
	}
	id.FNExpires = expiry.Expires
	id.INN, id.RNM = fiscal.INN(registration.INN), registration.RNM
	id.TaxSystems = fiscal.TaxSystem(registration.TaxSystems)
	id.Agents = fiscal.AgentType(registration.Agents)
	id.Modes = registration.Modes
	if ffd.Current != 0 {
		id.FFD = fiscal.FFD(ffd.Current)
	}
	if id.INN != "" {
		if err := d.readRegistration(ctx, &id, expiry.RegistrationsDone, ffd.Current == 0); err != nil {
			return fiscal.Identity{}, err
		}
	}
	id.VATs = d.opts.VATRates
	if id.VATs == 0 {
		id.VATs = knownVATs(id.FFD, configuration.Value)
	}
	d.identity, d.known = id, true
	return id, nil
}

// knownVATs is what a firmware can be expected to know of tag 1199. PROJECT CHOICE: the sheet knows codes 7…12 only from
// recent firmware (§6.7) and gives no version, so they are expected from FFD 1.2 firmware on and can be set per type.
func knownVATs(ffd fiscal.FFD, configuration string) fiscal.VATSet {
	if ffd == fiscal.FFD12 || !strings.HasPrefix(configuration, "1.0") && configuration != "" {
		return fiscal.VATsUpTo(fiscal.VAT122)
	}
	return fiscal.VATsUpTo(fiscal.VATNone)
}

// readRegistration takes the place of settlement, and the FFD version where 0x0F is unknown, from the current
// registration report (0x3B). The number of registrations done (0x07) names it; a register that disagrees is probed.
func (d *Device) readRegistration(ctx context.Context, id *fiscal.Identity, done byte, wantFFD bool) error {
	report, err := d.registrationReport(ctx, done)
	if code, refused := refusal(err); refused && code == codeUnknownCommand {
		d.placeUnknown = true
		return nil
	}
	if err != nil {
		return err
	}
	d.placeUnknown = false
	for _, t := range report {
		switch t.Tag {
		case wire.TagAddress:
			id.Address = t.Text()
		case wire.TagPlace:
			id.Place = t.Text()
		case wire.TagDeviceNumber:
			id.DeviceNumber = t.Text()
		case wire.TagFFDVersion:
			if v, ok := t.Byte(); ok && wantFFD {
				id.FFD = fiscal.FFD(v)
			}
		}
	}
	return nil
}

func (d *Device) registrationReport(ctx context.Context, done byte) ([]wire.TLV, error) {
	read := func(n byte) ([]wire.TLV, error) {
		reply, err := ask[wire.TLVReply](ctx, d, "Identify", wire.ReportQuery{Cmd: wire.CmdRegistrationTLV, Number: n, Present: true})
		if code, refused := refusal(err); refused && code != codeUnknownCommand {
			return nil, nil
		}
		return reply.List, err
	}
	if done > 0 {
		if list, err := read(done); err != nil || list != nil {
			return list, err
		}
	}
	var last []wire.TLV
	for n := byte(1); n <= maxReports; n++ {
		list, err := read(n)
		if err != nil {
			return nil, err
		}
		if list == nil {
			break
		}
		last = list
	}
	return last, nil
}

// ask does one command and asserts the type of its reply.
func ask[R wire.Reply](ctx context.Context, d *Device, op string, req wire.Request) (R, error) {
	var none R
	reply, err := d.exchange(ctx, op, req)
	if err != nil {
		return none, err
	}
	r, ok := reply.(R)
	if !ok {
		return none, &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Internal, Effect: fiscal.Unknown,
			Err: errors.New("the codec answered with another reply type")}
	}
	return r, nil
}

// optional asks a question that older firmware or an unregistered FN refuses; the refusal leaves to untouched.
func optional[R wire.Reply](ctx context.Context, d *Device, c wire.Command, to *R) error {
	reply, err := ask[R](ctx, d, "Identify", wire.Bare{Cmd: c})
	if _, refused := refusal(err); refused {
		return nil
	}
	if err == nil {
		*to = reply
	}
	return err
}
