package circuits

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"frpoold/fiscal"
)

// Circuit is the registers and integrations of one taxpayer, or of one part of its business.
type Circuit struct {
	ID         fiscal.CircuitID `json:"id"`
	Identifier string           `json:"inn"` // an INN, or INN-N
	Title      string           `json:"title"`
	Zone       string           `json:"timezone"` // IANA name: the zone its registers' clocks show
	CreatedAt  time.Time        `json:"created_at"`
}

// INN is the taxpayer's part of the identifier.
func (c Circuit) INN() fiscal.INN {
	inn, _, _ := strings.Cut(c.Identifier, "-")
	return fiscal.INN(inn)
}

// Member is a device of a circuit. Identity and Ignored are never changed once set, only replaced.
type Member struct {
	ID          fiscal.DeviceID  `json:"eip"`
	Circuit     fiscal.CircuitID `json:"circuit"`
	Type        string           `json:"type"`
	Family      string           `json:"family"` // "auto" until the first activation has found it out
	Active      bool             `json:"active"`
	Identity    *fiscal.Identity `json:"identity,omitempty"` // as it was at the last activation; nil before the first
	Ignored     []string         `json:"ignored,omitempty"`  // codes of the rules that force overrode at that activation
	AddedAt     time.Time        `json:"added_at"`
	ActivatedAt time.Time        `json:"activated_at,omitzero"`
}

// Integration is a source of receipt jobs in a circuit.
type Integration struct {
	ID        fiscal.IntegrationID `json:"id"`
	Circuit   fiscal.CircuitID     `json:"circuit"`
	Type      string               `json:"type"`
	Param1    string               `json:"param1"` // public name or login
	Param2    string               `json:"param2"` // secret
	Active    bool                 `json:"active"`
	CreatedAt time.Time            `json:"created_at"`
}

// CircuitView is a circuit with all that belongs to it, in the order it was added.
type CircuitView struct {
	Circuit
	Frs          []Member
	Integrations []Integration
}

// FamilyAuto stands for a type whose protocol is found out on first contact (protocols/terminal-fa.md §13).
const FamilyAuto = "auto"

const (
	maxTitle  = 256 // characters
	maxSuffix = 6   // digits of N in INN-N
)

// Errors of ParseIdentifier.
var (
	ErrIdentifierForm = errors.New(`it must be an INN, or an INN, a hyphen and a number, as in "5190114620-3"`)
	ErrIdentifierINN  = errors.New("its INN part has wrong check digits or not 10 or 12 digits")
)

// ParseIdentifier reads a circuit's identifier: an INN, or INN-N with N from 1, so that one taxpayer can have several
// circuits (seeds/README.md). It fails with ErrIdentifierForm or ErrIdentifierINN.
func ParseIdentifier(s string) (inn fiscal.INN, err error) {
	head, suffix, hyphen := strings.Cut(s, "-")
	if head == "" || !decimal(head) {
		return "", ErrIdentifierForm
	}
	if hyphen && (suffix == "" || len(suffix) > maxSuffix || suffix[0] == '0' || !decimal(suffix)) {
		return "", ErrIdentifierForm
	}
	if inn = fiscal.INN(head); !inn.Valid() {
		return "", ErrIdentifierINN
	}
	return inn, nil
}

func decimal(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// checkCircuit lists everything wrong with a circuit about to be created.
func checkCircuit(identifier, title, zone string) []fiscal.ContentError {
	var errs []fiscal.ContentError
	if _, err := ParseIdentifier(identifier); err != nil {
		code := "identifier_form"
		if errors.Is(err, ErrIdentifierINN) {
			code = "inn_invalid"
		}
		errs = append(errs, fiscal.ContentError{Path: "inn", Code: code, Message: fmt.Sprintf("The identifier %q cannot be used: %v.", identifier, err)})
	}
	if n := utf8.RuneCountInString(title); strings.TrimSpace(title) == "" || n > maxTitle {
		errs = append(errs, fiscal.ContentError{Path: "title", Code: "title_length", Message: fmt.Sprintf("The title must have 1 to %d characters, it has %d.", maxTitle, n)})
	}
	if _, err := loadZone(zone); err != nil {
		errs = append(errs, fiscal.ContentError{Path: "timezone", Code: "timezone_unknown", Message: fmt.Sprintf("The time zone %q is unknown: use an IANA name such as \"Europe/Moscow\".", zone)})
	}
	return errs
}

// loadZone refuses "Local" and "": what they mean depends on the host, and receipts' times must not.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("time zone %q is not an IANA name", name)
	}
	return time.LoadLocation(name)
}
