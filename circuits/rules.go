package circuits

import (
	"fmt"

	"frpoold/fiscal"
)

// Codes of the activation rules. They are what Member.Ignored holds after a forced activation.
const (
	ReasonWrongINN       = "wrong_inn"
	ReasonFNPhase        = "fn_phase"
	ReasonFamilyMismatch = "family_mismatch"
	ReasonSerialInUse    = "device_serial_in_use"
	ReasonTestFN         = "test_fn_refused"
)

// PhaseError is what Rack.Inspect returns beside the identity of a register whose storage is in no phase for receipts:
// an identity does not carry the phase.
type PhaseError struct{ Phase fiscal.Phase }

func (e *PhaseError) Error() string {
	return fmt.Sprintf("The fiscal storage is in phase %d, receipts need phase %d (fiscal): register the device or replace its storage.", e.Phase, fiscal.PhaseFiscal)
}

// reason is the rule the phase breaks.
func (e *PhaseError) reason() fiscal.ContentError {
	return fiscal.ContentError{Path: "fs.phase", Code: ReasonFNPhase, Message: e.Error()}
}

// CheckActivation lists what speaks against switching m on in c, given who answered at its address. others are the
// members whose registers are working now; m itself and inactive members among them are passed over. An empty list means
// the register may work. Paths name the member of the device's state (design.md §3) that is at fault.
//
// The serial rule may not be overridden by anybody: one register driven by two workers would make documents that
// neither can account for.
func CheckActivation(c Circuit, m Member, id fiscal.Identity, others []Member, refuseTestFN bool) []fiscal.ContentError {
	var errs []fiscal.ContentError
	add := func(path, code, format string, args ...any) {
		errs = append(errs, fiscal.ContentError{Path: path, Code: code, Message: fmt.Sprintf(format, args...)})
	}
	if want := c.INN(); id.INN != want {
		add("fs.inn", ReasonWrongINN, "The register is registered for INN %s, the circuit is of INN %s: add it to its own taxpayer's circuit.", orNone(string(id.INN)), want)
	}
	if id.FN == "" || id.RNM == "" {
		add("fs.phase", ReasonFNPhase, "The register has no fiscal storage that is registered with the tax service: register it first.")
	}
	if m.Family != FamilyAuto && m.Family != id.Family {
		add("type", ReasonFamilyMismatch, "The type %s speaks %s, but the register answers in %s: remove it and add it with the right type.", m.Type, m.Family, id.Family)
	}
	if o, ok := sameSerial(m, id.Serial, others); ok {
		add("sn", ReasonSerialInUse, "The register with serial number %s already works as %s: deactivate that one first.", id.Serial, o.ID)
	}
	if refuseTestFN && fiscal.TestFN(id.FN) {
		add("fs.sn", ReasonTestFN, "The fiscal storage %s is a debug one, whose receipts have no legal force, and the configuration refuses those.", id.FN)
	}
	return errs
}

func sameSerial(m Member, serial string, others []Member) (Member, bool) {
	if serial == "" {
		return Member{}, false
	}
	for _, o := range others {
		if o.Active && o.ID != m.ID && o.Identity != nil && o.Identity.Serial == serial {
			return o, true
		}
	}
	return Member{}, false
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}
