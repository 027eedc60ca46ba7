package circuits

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"frpoold/fiscal"
)

func notFound(code, format string, args ...any) error {
	return &fiscal.UserError{Class: fiscal.ClassNotFound, Code: code, Message: fmt.Sprintf(format, args...)}
}

func deviceNotFound(id fiscal.DeviceID) error {
	return notFound("device_not_found", "There is no device %q in any circuit: add it with POST /fcircuit/{id}/fr.", id)
}

func circuitNotFound(id fiscal.CircuitID) error {
	return notFound("circuit_not_found", "There is no circuit with id %d: GET /fcircuit lists them all.", id)
}

func integrationNotFound(id fiscal.IntegrationID) error {
	return notFound("integration_not_found", "There is no integration %d: GET /fcircuit lists those of each circuit.", id)
}

func malformed(code, message string, details map[string]any) error {
	return &fiscal.UserError{Class: fiscal.ClassMalformed, Code: code, Message: message, Details: details}
}

// unknownType names the types that would have been accepted.
func unknownType[V any](what, typ string, known map[string]V) error {
	names := slices.Sorted(maps.Keys(known))
	return malformed("unknown_type",
		fmt.Sprintf("The %s type %q is unknown: use one of %s.", what, typ, strings.Join(names, ", ")),
		map[string]any{"known": names})
}

func conflict(code, message string, details map[string]any) error {
	return &fiscal.UserError{Class: fiscal.ClassConflict, Code: code, Message: message, Details: details}
}

func circuitExists(c Circuit) error {
	return conflict("circuit_exists",
		fmt.Sprintf("The circuit %s already exists as %q: for a second circuit of one taxpayer use the identifier %s-N.", c.Identifier, c.Title, c.INN()),
		map[string]any{"id": c.ID, "inn": c.Identifier})
}

func deviceInCircuit(m Member, c Circuit) error {
	return conflict("device_in_circuit",
		fmt.Sprintf("The device %s already belongs to the circuit %s: remove it there first.", m.ID, c.Identifier),
		map[string]any{"eip": m.ID, "circuit_id": m.Circuit, "inn": c.Identifier})
}

func deviceInDoubt(id fiscal.DeviceID, job fiscal.JobID) error {
	return conflict("device_in_doubt",
		fmt.Sprintf("The device %s holds the job %s, whose outcome is not settled: see GET /receipts/%s, and resolve it there if it waits for a person.", id, job, job),
		map[string]any{"eip": id, "job": job})
}

func contentError(code, head string, errs []fiscal.ContentError) error {
	tail := "see details.errors."
	if len(errs) == 1 {
		tail = errs[0].Message
	}
	return &fiscal.UserError{Class: fiscal.ClassContent, Code: code, Message: head + ": " + tail, Details: map[string]any{"errors": errs}}
}

// activationRefused carries every reason, so that nobody has to fix them one at a time.
func activationRefused(id fiscal.DeviceID, reasons []fiscal.ContentError) error {
	code := "activation_refused"
	texts := make([]string, len(reasons))
	for i, e := range reasons {
		texts[i] = e.Message
		if e.Code == ReasonSerialInUse {
			code = ReasonSerialInUse
		}
	}
	return conflict(code, fmt.Sprintf("The device %s was not activated. %s", id, strings.Join(texts, " ")), map[string]any{"eip": id, "reasons": reasons})
}

// inspectFailed tells a register that cannot be reached from one that answers in another protocol.
func inspectFailed(m Member, err error) error {
	if u := (*fiscal.UserError)(nil); errors.As(err, &u) {
		return u
	}
	if errors.Is(err, fiscal.ErrOtherFamily) {
		return conflict("activation_refused",
			fmt.Sprintf("The device %s was not activated: it was added as type %s, and %v. Remove it and add it with the right type.", m.ID, m.Type, err),
			map[string]any{"eip": m.ID, "reasons": []fiscal.ContentError{{Path: "type", Code: ReasonFamilyMismatch, Message: err.Error()}}})
	}
	return &fiscal.UserError{
		Class: fiscal.ClassUnreachable, Code: "device_unreachable",
		Message: fmt.Sprintf("The device %s does not answer as a register (%v): check its power, its cable and its address, and that no other program holds its line.", m.ID, err),
		Details: map[string]any{"eip": m.ID},
	}
}

func storeFailed(err error) error {
	return &fiscal.UserError{
		Class: fiscal.ClassUnavailable, Code: "store_failed",
		Message: fmt.Sprintf("Nothing was changed, because the store could not be used: %v.", err),
	}
}

func enrolFailed(m Member, err error) error {
	return &fiscal.UserError{
		Class: fiscal.ClassUnavailable, Code: "enrol_failed",
		Message: fmt.Sprintf("The device %s was not activated, because it could not be put to work: %v.", m.ID, err),
		Details: map[string]any{"eip": m.ID},
	}
}

func gaveUp(err error) error {
	return &fiscal.UserError{
		Class: fiscal.ClassUnavailable, Code: "gave_up",
		Message: fmt.Sprintf("Nothing was changed, because the request ended before its turn came: %v.", err),
	}
}
