package fiscal

import (
	"strconv"
	"strings"
	"time"
)

// Names of things. They are types so that a device is never passed where a job is meant.
type (
	// DeviceID is a register's eip: "host:port", or "serial:/dev/ttyUSB0?baud=115200".
	DeviceID string
	// CircuitID numbers a fiscalisation circuit.
	CircuitID uint64
	// IntegrationID numbers a source of receipt jobs.
	IntegrationID uint64
	// JobID names a job: 16 characters, ascending with time. It is also the stamp its receipt carries.
	JobID string
	// DocNumber is the number of a fiscal document within its FN (tag 1040).
	DocNumber uint32
	// Code is a register's own error number, kept as sent.
	Code uint16
	// INN is a taxpayer's number: 10 digits for an organisation, 12 for a person.
	INN string
	// Sign is the fiscal sign of a document, the 32-bit part of tag 1077.
	Sign uint32
)

func (s Sign) String() string { return strconv.FormatUint(uint64(s), 10) }

var (
	weights10 = []int{2, 4, 10, 3, 5, 9, 4, 6, 8}
	weights11 = []int{7, 2, 4, 10, 3, 5, 9, 4, 6, 8}
	weights12 = []int{3, 7, 2, 4, 10, 3, 5, 9, 4, 6, 8}
)

// NoINN stands for a supplier or buyer without a Russian INN in tags 1226 and 1228 (domain/ffd.md §8).
const NoINN INN = "000000000000"

// Valid checks length, digits and check digits (domain/ffd.md §8). All zeros satisfy the check digits and belong to
// nobody: they are not valid. Where a party without an INN may stand, compare with NoINN.
func (n INN) Valid() bool {
	s := string(n)
	if !digits(s) || strings.Trim(s, "0") == "" {
		return false
	}
	switch len(s) {
	case 10:
		return checkDigit(s, weights10) == s[9]
	case 12:
		return checkDigit(s, weights11) == s[10] && checkDigit(s, weights12) == s[11]
	}
	return false
}

func checkDigit(s string, weights []int) byte {
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return byte('0' + sum%11%10)
}

// TestFN reports whether an FN number belongs to a debug storage (МГМ), whose documents have no legal force.
func TestFN(fn string) bool { return strings.HasPrefix(fn, "9999") }

// DeviceTime is a register's own clock: local wall time with no zone, to the minute. It is never compared with the
// host's time without a stated zone, so the only way out is In.
type DeviceTime struct{ wall time.Time }

// NewDeviceTime takes the wall-clock fields as the register shows them. ok is false when they are no real time.
func NewDeviceTime(year, month, day, hour, minute int) (t DeviceTime, ok bool) {
	w := time.Date(year, time.Month(month), day, hour, minute, 0, 0, time.UTC)
	same := w.Year() == year && int(w.Month()) == month && w.Day() == day && w.Hour() == hour && w.Minute() == minute
	if !same {
		return DeviceTime{}, false
	}
	return DeviceTime{w}, true
}

// DeviceTimeAt is what a register in loc shows at the instant t.
func DeviceTimeAt(t time.Time, loc *time.Location) DeviceTime {
	l := t.In(loc)
	return DeviceTime{time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC)}
}

// IsZero reports that the register gave no time.
func (t DeviceTime) IsZero() bool { return t.wall.IsZero() }

// In reads the wall clock as time of loc.
func (t DeviceTime) In(loc *time.Location) time.Time {
	w := t.wall
	return time.Date(w.Year(), w.Month(), w.Day(), w.Hour(), w.Minute(), 0, 0, loc)
}

// Sub is the difference of two readings of registers in one zone.
func (t DeviceTime) Sub(o DeviceTime) time.Duration { return t.wall.Sub(o.wall) }

// Fields are year, month, day, hour and minute as the register shows them.
func (t DeviceTime) Fields() (year, month, day, hour, minute int) {
	return t.wall.Year(), int(t.wall.Month()), t.wall.Day(), t.wall.Hour(), t.wall.Minute()
}

// Format writes the wall clock in a layout of package time.
func (t DeviceTime) Format(layout string) string { return t.wall.Format(layout) }

func (t DeviceTime) String() string { return t.Format(deviceLayout) }

const deviceLayout = "2006-01-02T15:04"

// MarshalText writes "2026-03-14T09:05", or nothing for the zero time.
func (t DeviceTime) MarshalText() ([]byte, error) {
	if t.IsZero() {
		return nil, nil
	}
	return []byte(t.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (t *DeviceTime) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*t = DeviceTime{}
		return nil
	}
	w, err := time.Parse(deviceLayout, string(b))
	*t = DeviceTime{w}
	return err
}
