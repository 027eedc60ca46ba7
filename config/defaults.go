package config

import (
	"time"

	"frpoold/driver"
	"frpoold/fiscal"
)

// defaultData is the store's folder where nobody names one, neither the file nor systemd.
const defaultData = "frpoold-data"

// MaxShutdownTimeout is the longest shutdown_timeout: deploy/frpoold.service kills later than that.
const MaxShutdownTimeout = 75 * time.Second

// statusTailOffset is the first byte behind the known part of the 0x01 reply (protocols/terminal-fa.md §5.1).
const statusTailOffset = 22

// Defaults is the configuration of an empty file. It is valid as it is: loopback only, no tokens.
func Defaults() Config {
	return Config{
		Listen:   "127.0.0.1:8080",
		Data:     defaultData,
		Log:      Log{Level: "info", Format: "text"},
		TimeZone: "Europe/Moscow",
		Families: map[string]Family{
			FamilyTerminalFA: defaultFamily(),
			FamilyShtrihM:    defaultFamily(),
		},
		Types: builtinTypes(),
		Pool: Pool{
			PollInterval:    5 * time.Second,
			BackoffMin:      500 * time.Millisecond,
			BackoffMax:      30 * time.Second,
			DoubtRetry:      2 * time.Second,
			Exchanges:       50,
			FailedExchanges: 50,
		},
		Gates: Gates{
			Temperature: TemperatureGate{Warn: 65, Stop: 75, Resume: 68},
			ClockSkew:   ClockSkewGate{Warn: time.Minute, Stop: 5 * time.Minute},
			// A storage whose oldest document waits for 30 days refuses everything, even closing the shift. Five days
			// bridge a weekend and a holiday without an OFD, and leave three weeks to mend the line while the rest of
			// the rack works.
			OFDOverdue:  5 * 24 * time.Hour,
			FNDocuments: fiscal.FNCapacity,
			// The last day belongs to closing the shift and the storage.
			FNExpiresStop: 24 * time.Hour,
		},
		Shifts:          Shifts{MaxAge: 23*time.Hour + 30*time.Minute},
		Queue:           Queue{PerCircuit: 10_000, Total: 100_000, Deadline: 24 * time.Hour},
		Store:           Store{RetentionDays: 400},
		ShutdownTimeout: 20 * time.Second,
	}
}

// builtinTypes is the table of design.md §6. Nobody knows which protocol a pkfa12 speaks before it has answered
// (protocols/terminal-fa.md §13).
func builtinTypes() map[string]Type {
	of := func(family, temperature string) Type {
		t := defaultType()
		t.Family, t.Temperature.Source = family, temperature
		return t
	}
	return map[string]Type{
		"terminalfa": of(FamilyTerminalFA, TemperatureNone),
		"kitonlinef": of(FamilyTerminalFA, TemperatureNone),
		"shtrihm":    of(FamilyShtrihM, TemperatureNone),
		"pkfa12":     of(FamilyAuto, TemperatureStatusTail),
	}
}

// defaultFamily has the longest times that any source of protocols/terminal-fa.md §2.3 uses: a deadline that is too
// short makes doubt, one that is too long only makes waiting.
func defaultFamily() Family {
	return Family{Timeouts: driver.Timeouts{
		Connect: 5 * time.Second,
		Reply:   20 * time.Second,
		Commit:  60 * time.Second,
		Gap:     2 * time.Second,
	}}
}

// defaultType is a type of the file before its keys are read; its family has to be named.
func defaultType() Type {
	return Type{Temperature: Temperature{Source: TemperatureNone, Offset: statusTailOffset}}
}

// setDefaults is how the decoder begins an entry of a map that the built-in table does not have.
func (f *Family) setDefaults() { *f = defaultFamily() }

func (t *Type) setDefaults() { *t = defaultType() }
