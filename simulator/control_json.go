package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"frpoold/fiscal"
)

const maxBody = 64 << 10

// controlError is an answer of the control port that is not 2xx.
type controlError struct {
	status  int
	message string
}

func (e *controlError) Error() string { return e.message }

func badRequest(err error) error { return &controlError{http.StatusBadRequest, err.Error()} }

func answerJSON(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		answerError(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) //nolint:errcheck // the client has gone
}

func answerError(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	var known *controlError
	if errors.As(err, &known) {
		status = known.status
	}
	answerJSON(w, status, map[string]any{"error": map[string]string{"message": err.Error()}})
}

// readJSON reads one JSON object with no unknown member and nothing behind it.
func readJSON(req *http.Request, to any) error {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return &controlError{http.StatusRequestEntityTooLarge, fmt.Sprintf("a body of more than %d bytes", maxBody)}
		}
		return badRequest(err)
	}
	if err := strict(body, to); err != nil {
		return badRequest(err)
	}
	return nil
}

// strict decodes one JSON object and says in a sentence what is wrong with it.
func strict(body []byte, to any) error {
	if t := bytes.TrimSpace(body); len(t) == 0 || t[0] != '{' {
		return &bodyError{"the body must be a JSON object"}
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(to); err != nil {
		var inner *bodyError
		if errors.As(err, &inner) {
			return inner // from an object inside, or from the same one
		}
		return &bodyError{"the body is not as expected: " + strings.TrimPrefix(err.Error(), "json: ")}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return &bodyError{"there is text behind the JSON object"}
	}
	return nil
}

// bodyError is a sentence about a body.
type bodyError struct{ sentence string }

func (e *bodyError) Error() string { return e.sentence }

// span is a duration in JSON: "300ms".
type span time.Duration

func (s *span) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf(`duration %q, want one such as "300ms" or "2h"`, b)
	}
	*s = span(d)
	return nil
}

func (s span) MarshalText() ([]byte, error) { return []byte(time.Duration(s).String()), nil }

func (s *span) duration() *time.Duration { return (*time.Duration)(s) }

// hexByte is a code in JSON: "16" or "0x16" in hex, or a number.
type hexByte byte

func (h hexByte) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `"%02X"`, byte(h)), nil }

func (h *hexByte) UnmarshalJSON(b []byte) error {
	text, base := string(b), 10
	if t, quoted := strings.CutPrefix(text, `"`); quoted {
		text, base = strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(t, `"`)), "0x"), 16
	}
	n, err := strconv.ParseUint(text, base, 8)
	if err != nil {
		return fmt.Errorf(`code %s, want hex such as "16", or a number up to 255`, b)
	}
	*h = hexByte(n)
	return nil
}

// faultJSON is a Fault as the control port writes it.
type faultJSON struct {
	Kind       FaultKind    `json:"kind"`
	Command    FaultCommand `json:"command"`
	Count      int          `json:"count"`
	Skip       int          `json:"skip,omitempty"`
	AfterBytes int          `json:"after_bytes,omitempty"`
	Delay      span         `json:"delay,omitzero"`
	Code       hexByte      `json:"code,omitempty"`
}

// MarshalJSON writes the delay as text and the code in hex.
func (f Fault) MarshalJSON() ([]byte, error) {
	return json.Marshal(faultJSON{f.Kind, f.Command, f.Count, f.Skip, f.AfterBytes, span(f.Delay), hexByte(f.Code)})
}

// UnmarshalJSON reads what MarshalJSON writes, strictly.
func (f *Fault) UnmarshalJSON(b []byte) error {
	var j faultJSON
	if err := strict(b, &j); err != nil {
		return err
	}
	*f = Fault{j.Kind, j.Command, j.Count, j.Skip, j.AfterBytes, time.Duration(j.Delay), byte(j.Code)}
	return nil
}

type randomJSON struct {
	Probability float64      `json:"probability"`
	Command     FaultCommand `json:"command"`
	Kinds       []FaultKind  `json:"kinds,omitempty"`
	Delay       span         `json:"delay,omitzero"`
}

// MarshalJSON writes the delay as text.
func (f RandomFaults) MarshalJSON() ([]byte, error) {
	return json.Marshal(randomJSON{f.Probability, f.Command, f.Kinds, span(f.Delay)})
}

// UnmarshalJSON reads what MarshalJSON writes, strictly.
func (f *RandomFaults) UnmarshalJSON(b []byte) error {
	var j randomJSON
	if err := strict(b, &j); err != nil {
		return err
	}
	*f = RandomFaults{j.Probability, j.Command, j.Kinds, time.Duration(j.Delay)}
	return nil
}

// patchJSON is a Patch as the control port reads it.
type patchJSON struct {
	Temperature      *int          `json:"temperature"`
	TemperatureModel *bool         `json:"temperature_model"`
	ClockOffset      *span         `json:"clock_offset"`
	OFD              *bool         `json:"ofd"`
	Confirm          *int          `json:"confirm"`
	Power            *bool         `json:"power"`
	PowerFor         *span         `json:"power_for"`
	Printer          *Printer      `json:"printer"`
	Critical         *bool         `json:"critical"`
	ServiceTime      *span         `json:"service_time"`
	FN               *FNAction     `json:"fn"`
	FNExpires        *calendarDay  `json:"fn_expires"`
	FNCapacity       *uint32       `json:"fn_capacity"`
	HangDocument     *bool         `json:"hang_document"`
	Strict           *bool         `json:"strict"`
	KeepOpen         *bool         `json:"keep_open"`
	Random           *RandomFaults `json:"random_faults"`
}

// calendarDay is a date in JSON: "2027-06-30".
type calendarDay fiscal.DeviceTime

func (c *calendarDay) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return fmt.Errorf(`date %q, want one such as "2027-06-30"`, b)
	}
	*c = calendarDay(fiscal.DeviceTimeAt(t, time.UTC))
	return nil
}

// UnmarshalJSON reads a patch strictly; a member that is not there changes nothing.
func (p *Patch) UnmarshalJSON(b []byte) error {
	var j patchJSON
	if err := strict(b, &j); err != nil {
		return err
	}
	*p = Patch{
		Temperature: j.Temperature, TemperatureModel: j.TemperatureModel, ClockOffset: j.ClockOffset.duration(), OFD: j.OFD,
		Confirm: j.Confirm, Power: j.Power, PowerFor: j.PowerFor.duration(), Printer: j.Printer, Critical: j.Critical,
		ServiceTime: j.ServiceTime.duration(), FN: j.FN, FNExpires: (*fiscal.DeviceTime)(j.FNExpires),
		FNCapacity: j.FNCapacity, HangDocument: j.HangDocument, Strict: j.Strict, KeepOpen: j.KeepOpen, Random: j.Random,
	}
	return nil
}
