package fiscal

import (
	"errors"
	"fmt"
	"strings"
)

// Effect is what a failed exchange may have done to the register's fiscal memory. It tells the dispatcher what is safe.
type Effect uint8

// Effects. The zero value is the careful one: an error made in haste must not look resendable.
const (
	Unknown Effect = iota // bytes left us and no trustworthy answer came back
	Nothing               // certain: the register made no document
	Done                  // certain: the document exists; something after it failed
)

var effectWords = words[Effect]{{Unknown, "unknown"}, {Nothing, "nothing"}, {Done, "done"}}

func (e Effect) String() string               { return effectWords.string("effect", e) }
func (e Effect) MarshalText() ([]byte, error) { return effectWords.marshal("effect", e) }

// UnmarshalText fails with *WordError.
func (e *Effect) UnmarshalText(b []byte) error { return effectWords.unmarshal("effect", b, e) }

// Kind is what went wrong. It tells people and metrics; its numbers are stored, so append only.
type Kind uint8

// Kinds.
const (
	Other     Kind = iota
	Invalid        // the request cannot be put into the register's words; nothing was sent
	Refused        // the register said no to the content: no register will take it
	Busy           // the register is doing something else; later
	Attention      // the register needs a person: FN, printer, clock, an unknown code
	Offline        // no link could be made
	Link           // the link broke or fell silent in the middle
	Protocol       // what came back is not the protocol
	Canceled       // the caller gave up before anything was sent
	Internal       // our own fault
)

var errorKindWords = words[Kind]{
	{Other, "other"},
	{Invalid, "invalid"},
	{Refused, "refused"},
	{Busy, "busy"},
	{Attention, "attention"},
	{Offline, "offline"},
	{Link, "link"},
	{Protocol, "protocol"},
	{Canceled, "canceled"},
	{Internal, "internal"},
}

func (k Kind) String() string               { return errorKindWords.string("kind", k) }
func (k Kind) MarshalText() ([]byte, error) { return errorKindWords.marshal("kind", k) }

// UnmarshalText fails with *WordError.
func (k *Kind) UnmarshalText(b []byte) error { return errorKindWords.unmarshal("kind", b, k) }

// Error is a failed operation on a register.
type Error struct {
	Op     string   // "terminalfa.Register"
	Device DeviceID // empty below the pool
	Kind   Kind
	Effect Effect
	Code   Code // the register's own number, 0 when there is none
	Err    error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Device != "" {
		fmt.Fprintf(&b, "%s: ", e.Device)
	}
	if e.Op != "" {
		fmt.Fprintf(&b, "%s: ", e.Op)
	}
	if e.Err != nil {
		b.WriteString(e.Err.Error())
	} else {
		b.WriteString(e.Kind.String())
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Sentinels a caller acts on, wrapped inside *Error.
var (
	// ErrShiftExpired is a refusal because the shift is older than 24 hours: renew it and go on.
	ErrShiftExpired = errors.New("shift is older than 24 hours")
	// ErrNoDocument says that the archive has no document with that number, or no longer its content.
	ErrNoDocument = errors.New("no such document in the archive")
	// ErrOtherFamily says that what answers speaks another protocol.
	ErrOtherFamily = errors.New("answers in another protocol")
)

// KindOf is the kind of the first *Error in err's chain, Other without one.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Other
}

// EffectOf is the effect of the first *Error in err's chain. An error of any other type is Unknown.
func EffectOf(err error) Effect {
	var e *Error
	if errors.As(err, &e) {
		return e.Effect
	}
	return Unknown
}

// CodeOf is the register's own number of the first *Error in err's chain.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}
