package pool

import (
	"fmt"
	"slices"
	"time"

	"frpoold/fiscal"
)

// Policy are the thresholds of the gates (design.md §6, §12).
type Policy struct {
	TemperatureWarn, TemperatureStop, TemperatureResume int // °C
	SkewWarn, SkewStop                                  time.Duration
	OFDOverdue                                          time.Duration // age of the oldest unsent document
	FNDocuments                                         fiscal.DocNumber
	FNExpiresStop                                       time.Duration // before the end of the storage's last day
	RefuseTestFN                                        bool
}

// facts are all that the gates depend on.
type facts struct {
	now      time.Time
	zone     *time.Location
	inn      fiscal.INN // of the circuit
	draining bool
	lost     error            // why there is no session; nil with one
	expect   *fiscal.Identity // as activated; nil before the first activation
	identity *fiscal.Identity
	status   *fiscal.Status
	hold     fiscal.JobID
	hot      bool // the latch of the temperature gate
	printing bool
	closing  bool
	paused   *pause
}

// pause keeps a device that refused work out of the way for a while.
type pause struct {
	until time.Time
	cause error
}

// closedGates lists the gates that are closed, in the order of design.md §6. It is pure.
func closedGates(p Policy, f facts) []fiscal.Gate {
	var out []fiscal.Gate
	shut := func(code fiscal.GateCode, format string, args ...any) {
		message := fmt.Sprintf(format, args...)
		// A gate is one line of reasons[] and one sample of a metric, for however many reasons it is closed.
		if at := slices.IndexFunc(out, func(g fiscal.Gate) bool { return g.Code == code }); at >= 0 {
			out[at].Message += "; " + message
			return
		}
		out = append(out, fiscal.Gate{Code: code, Message: message})
	}
	if f.draining {
		shut(fiscal.GateInactive, "the device is being deactivated and takes no new receipt")
	}
	switch {
	case f.lost != nil:
		shut(fiscal.GateOffline, "no link: %v", f.lost)
	case f.identity == nil || f.status == nil:
		shut(fiscal.GateOffline, "not contacted yet")
	default:
		identityGates(p, f, shut)
		statusGates(p, f, shut)
	}
	if f.closing {
		shut(fiscal.GateShiftClosing, "the shift is being closed")
	}
	if f.hold != "" {
		shut(fiscal.GateInDoubt, "receipt %s is not settled: the device takes no other until it is", f.hold)
	}
	if f.printing && f.lost == nil && f.status != nil && f.status.Printer != 0 {
		shut(fiscal.GatePrinter, "printer status %d: paper, cover or cable", f.status.Printer)
	}
	if f.paused != nil && f.now.Before(f.paused.until) {
		shut(fiscal.GateBusy, "could not take a receipt (%v); tried again at %s", f.paused.cause, f.paused.until.In(f.zone).Format("15:04:05"))
	}
	return out
}

type shutFunc func(code fiscal.GateCode, format string, args ...any)

func identityGates(p Policy, f facts, shut shutFunc) {
	if e := f.expect; e != nil {
		if e.Serial != f.identity.Serial {
			shut(fiscal.GateIdentityChanged, "serial %s answers where %s was activated: deactivate and activate the device to accept it", f.identity.Serial, e.Serial)
		} else if e.FN != f.identity.FN && f.status.FNPresent {
			shut(fiscal.GateIdentityChanged, "FN %s is in the register where %s was activated: deactivate and activate the device to accept it", f.identity.FN, e.FN)
		}
	}
	if f.identity.INN != f.inn && f.status.FNPresent {
		shut(fiscal.GateWrongINN, "the register belongs to INN %q, the circuit to %s", string(f.identity.INN), f.inn)
	}
	if p.RefuseTestFN && fiscal.TestFN(f.identity.FN) {
		shut(fiscal.GateFNPhase, "FN %s is a debug storage and refuse_test_fn is set", f.identity.FN)
	}
}

func statusGates(p Policy, f facts, shut shutFunc) {
	s := f.status
	if !s.FNPresent {
		shut(fiscal.GateFNMissing, "no fiscal storage in the register")
		return
	}
	if s.Phase != fiscal.PhaseFiscal {
		shut(fiscal.GateFNPhase, "the FN is in phase %d, receipts need phase 3", s.Phase)
	}
	if s.Critical || s.Warnings&fiscal.WarnCriticalError != 0 {
		shut(fiscal.GateFNCritical, "the register reports a critical error of its FN")
	}
	if e := f.identity.FNExpires; !e.IsZero() && !s.Clock.IsZero() && s.Clock.Sub(e) >= 24*time.Hour-p.FNExpiresStop {
		shut(fiscal.GateFNExpired, "the FN was good until %s: replace it", e.Format("02.01.2006"))
	}
	if s.Document.Last >= p.FNDocuments {
		shut(fiscal.GateFNFull, "the FN holds %d documents of %d: replace it", s.Document.Last, p.FNDocuments)
	}
	if age, ok := unsentAge(f); ok && age >= p.OFDOverdue {
		shut(fiscal.GateOFDOverdue, "document %d has waited %s for the OFD: check the register's network and OFD settings", s.OFD.First, age.Round(time.Minute))
	}
	if f.hot && s.Temperature != nil {
		shut(fiscal.GateTooHot, "%d °C: cools down to %d °C before the next receipt", *s.Temperature, p.TemperatureResume)
	}
	if skew, ok := skew(f); ok && skew.Abs() >= p.SkewStop {
		shut(fiscal.GateClockSkew, "the register's clock is %s off: set it with POST /frs/{eip}/clock while the shift is closed", skew.Round(time.Second))
	}
}

// unsentAge is how long the oldest document has waited for the OFD, on the register's own clock.
func unsentAge(f facts) (time.Duration, bool) {
	q := f.status.OFD
	if q.Count == 0 || q.FirstTime.IsZero() || f.status.Clock.IsZero() {
		return 0, false
	}
	return f.status.Clock.Sub(q.FirstTime), true
}

// skew is how far the register's clock is ahead of the host's in the circuit's zone. The register shows whole minutes, so
// up to a minute of difference is no skew.
func skew(f facts) (time.Duration, bool) {
	if f.status.Clock.IsZero() {
		return 0, false
	}
	ahead := f.status.Clock.In(f.zone).Sub(f.status.ReadAt)
	switch {
	case ahead > 0:
		return ahead, true
	case ahead < -time.Minute:
		return ahead + time.Minute, true
	default:
		return 0, true
	}
}

// latchHot is the temperature gate's hysteresis: closes at stop, opens again only at resume.
func latchHot(p Policy, was bool, celsius *int) bool {
	switch {
	case celsius == nil:
		return false
	case *celsius >= p.TemperatureStop:
		return true
	case *celsius <= p.TemperatureResume:
		return false
	default:
		return was
	}
}
