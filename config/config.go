package config

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"time"

	"frpoold/driver"
	"frpoold/fiscal"
)

// Config is everything that can be set. It is built once, before anything starts, and not changed after.
type Config struct {
	Listen          string            `yaml:"listen"` // host:port
	Data            string            `yaml:"data"`   // folder of the store; never empty after Load
	Log             Log               `yaml:"log"`
	TLS             TLS               `yaml:"tls"`
	BehindProxy     bool              `yaml:"behind_proxy"` // a proxy in front ends TLS
	Tokens          []Token           `yaml:"tokens"`       // none: every caller is an operator, loopback only
	TimeZone        string            `yaml:"time_zone"`    // of circuits that name none
	Families        map[string]Family `yaml:"families"`     // by family
	Types           map[string]Type   `yaml:"types"`        // by the name operators give a kind of register
	Pool            Pool              `yaml:"pool"`
	Gates           Gates             `yaml:"gates"`
	Shifts          Shifts            `yaml:"shifts"`
	Queue           Queue             `yaml:"queue"`
	Store           Store             `yaml:"store"`
	Callbacks       Callbacks         `yaml:"callbacks"`
	RefuseTestFN    bool              `yaml:"refuse_test_fn"` // turn away storages whose number begins 9999
	ShutdownTimeout time.Duration     `yaml:"shutdown_timeout"`
}

// Log says how much is logged and in which form.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn, error
	Format string `yaml:"format"` // text, json
}

// Threshold is Level in the words of slog, and info for any other word.
func (l Log) Threshold() slog.Level {
	switch l.Level {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}

// TLS names the certificate chain and its key, PEM files. Both empty: plain HTTP.
type TLS struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
}

// Enabled reports that HTTPS is spoken.
func (t TLS) Enabled() bool { return t.Cert != "" && t.Key != "" }

// Token lets one caller in. Only its hash is kept; whoever reads the file cannot use it.
type Token struct {
	Name   string `yaml:"name"` // shown in the audit log
	Role   Role   `yaml:"role"`
	SHA256 Secret `yaml:"sha256"` // 64 hex digits
}

// Sum is the hash as bytes, to be compared with sha256.Sum256 of what a caller presents.
func (t Token) Sum() (sum [32]byte, err error) {
	b, err := hex.DecodeString(t.SHA256.Reveal())
	if err != nil || len(b) != len(sum) {
		return sum, fmt.Errorf("token %s: the hash is not %d hex digits", t.Name, 2*len(sum))
	}
	copy(sum[:], b)
	return sum, nil
}

// Role is what a token allows.
type Role string

// Roles.
const (
	RoleOperator Role = "operator" // everything
	RoleViewer   Role = "viewer"   // reads
)

// Names of protocol families as the file writes them. cmd/frpoold has the table that gives each its driver.
const (
	FamilyTerminalFA = "terminalfa"
	FamilyShtrihM    = "shtrihm"
	FamilyAuto       = "auto" // asked of the register on first contact; only a type can have it
)

// Family is what all registers of one protocol share.
type Family struct {
	Timeouts driver.Timeouts `yaml:"timeouts"`
}

// Type is one kind of register.
type Type struct {
	Family       string       `yaml:"family"`
	PrintReports bool         `yaml:"print_reports"` // paper copies of shift reports
	VATRates     []fiscal.VAT `yaml:"vat_rates"`     // what the firmware knows; none: the family's own belief
	Temperature  Temperature  `yaml:"temperature"`
}

// Temperature sources.
const (
	TemperatureNone       = "none"
	TemperatureStatusTail = "status_tail"
	TemperatureFile       = "file"
)

// Temperature says where the temperature of a register is read (design.md §6).
type Temperature struct {
	Source string `yaml:"source"`
	Offset int    `yaml:"offset"` // of the signed byte in the status answer; status_tail only
	Path   string `yaml:"path"`   // of a sensor file in thousandths of °C; file only
}

// Pool sets how registers are watched.
type Pool struct {
	PollInterval    time.Duration `yaml:"poll_interval"`
	BackoffMin      time.Duration `yaml:"backoff_min"`
	BackoffMax      time.Duration `yaml:"backoff_max"`
	DoubtRetry      time.Duration `yaml:"doubt_retry"` // longest pause before a register with a job in doubt is tried again
	Exchanges       int           `yaml:"exchanges"`   // kept a device
	FailedExchanges int           `yaml:"failed_exchanges"`
}

// Gates are the thresholds that take a register out of service.
type Gates struct {
	Temperature   TemperatureGate `yaml:"temperature"`
	ClockSkew     ClockSkewGate   `yaml:"clock_skew"`
	OFDOverdue    time.Duration   `yaml:"ofd_overdue"`     // age of the oldest document the OFD has not confirmed
	FNDocuments   int             `yaml:"fn_documents"`    // signed by the storage
	FNExpiresStop time.Duration   `yaml:"fn_expires_stop"` // before the end of the storage's keys
}

// TemperatureGate has degrees Celsius.
type TemperatureGate struct {
	Warn   int `yaml:"warn"`
	Stop   int `yaml:"stop"`
	Resume int `yaml:"resume"`
}

// ClockSkewGate has differences between the register's clock and the host's, either way.
type ClockSkewGate struct {
	Warn time.Duration `yaml:"warn"`
	Stop time.Duration `yaml:"stop"`
}

// Shifts sets when shifts end and who signs their reports.
type Shifts struct {
	MaxAge  time.Duration `yaml:"max_age"`
	Cashier Cashier       `yaml:"cashier"`
}

// Cashier signs shift reports; registers in automatic mode need none.
type Cashier struct {
	Name string     `yaml:"name"`
	INN  fiscal.INN `yaml:"inn"`
}

// Fiscal is the cashier in the words of package fiscal.
func (c Cashier) Fiscal() fiscal.Cashier { return fiscal.Cashier{Name: c.Name, INN: c.INN} }

// Queue bounds the jobs that wait.
type Queue struct {
	PerCircuit int           `yaml:"per_circuit"`
	Total      int           `yaml:"total"`
	Deadline   time.Duration `yaml:"deadline"` // a job still queued after it expires
}

// Store sets how long finished jobs stay.
type Store struct {
	RetentionDays int `yaml:"retention_days"`
}

// Callbacks sets who may be called back.
type Callbacks struct {
	AllowPrivate bool `yaml:"allow_private"` // targets in private address ranges
}

// Location is the zone of circuits that name none.
func (c *Config) Location() (*time.Location, error) { return time.LoadLocation(c.TimeZone) }

// TypeFamilies is the family of each type, FamilyAuto included.
func (c *Config) TypeFamilies() map[string]string {
	out := make(map[string]string, len(c.Types))
	for name, t := range c.Types {
		out[name] = t.Family
	}
	return out
}

// DriverOptions is what a driver of family is told about a register of type typ. A type or family that is no longer in
// the file (a device may outlive its type) has the defaults.
func (c *Config) DriverOptions(typ, family string) driver.Options {
	t, ok := c.Types[typ]
	if !ok {
		t = defaultType()
	}
	f, ok := c.Families[family]
	if !ok {
		f = defaultFamily()
	}
	o := driver.Options{Timeouts: f.Timeouts, PrintReports: t.PrintReports}
	for _, v := range t.VATRates {
		o.VATRates = o.VATRates.With(v)
	}
	if t.Temperature.Source == TemperatureStatusTail {
		o.Temperature = driver.TemperatureSource{StatusTail: true, Offset: t.Temperature.Offset}
	}
	return o
}
