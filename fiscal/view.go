package fiscal

import (
	"encoding/hex"
	"time"
)

// GateCode names a reason why a device takes no job (design.md §6).
type GateCode string

// Gates.
const (
	GateInactive        GateCode = "inactive"
	GateOffline         GateCode = "offline"
	GateIdentityChanged GateCode = "identity_changed"
	GateWrongINN        GateCode = "wrong_inn"
	GateFNMissing       GateCode = "fn_missing"
	GateFNPhase         GateCode = "fn_phase"
	GateFNCritical      GateCode = "fn_critical"
	GateFNExpired       GateCode = "fn_expired"
	GateFNFull          GateCode = "fn_full"
	GateOFDOverdue      GateCode = "ofd_overdue"
	GateTooHot          GateCode = "too_hot"
	GateClockSkew       GateCode = "clock_skew"
	GateShiftExpired    GateCode = "shift_expired"
	GateShiftClosing    GateCode = "shift_closing"
	GateInDoubt         GateCode = "in_doubt"
	GatePrinter         GateCode = "printer"
	GateBusy            GateCode = "busy"
	GateMaintenance     GateCode = "maintenance"
)

// GateCodes is the closed set, for metrics.
var GateCodes = []GateCode{
	GateInactive, GateOffline, GateIdentityChanged, GateWrongINN, GateFNMissing, GateFNPhase, GateFNCritical,
	GateFNExpired, GateFNFull, GateOFDOverdue, GateTooHot, GateClockSkew, GateShiftExpired, GateShiftClosing,
	GateInDoubt, GatePrinter, GateBusy, GateMaintenance,
}

// Gate is one closed gate.
type Gate struct {
	Code    GateCode  `json:"code"`
	Message string    `json:"message"` // one sentence: what is wrong and what clears it
	Since   time.Time `json:"since"`
}

// DeviceView is an immutable snapshot of one active device. Nobody changes it after it is published.
type DeviceView struct {
	ID       DeviceID
	Circuit  CircuitID
	Type     string
	Identity *Identity     // nil until it has been identified
	Status   *Status       // nil until it has been polled
	SeenAt   time.Time     // of Status
	Gates    []Gate        // empty: ready
	Working  bool          // a task is being executed right now
	Service  time.Duration // measured time of a receipt; 0 before the first
	Receipts uint64        // made since the daemon started
	TestFN   bool
}

// Ready reports that no gate is closed.
func (v *DeviceView) Ready() bool { return len(v.Gates) == 0 }

// HexBytes prints as hex pairs with spaces, in JSON too.
type HexBytes []byte

func (h HexBytes) String() string {
	const digits = "0123456789ABCDEF"
	if len(h) == 0 {
		return ""
	}
	out := make([]byte, 0, 3*len(h)-1)
	for i, b := range h {
		if i > 0 {
			out = append(out, ' ')
		}
		out = append(out, digits[b>>4], digits[b&15])
	}
	return string(out)
}

// MarshalText writes hex pairs with spaces.
func (h HexBytes) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText reads hex digits with or without spaces.
func (h *HexBytes) UnmarshalText(b []byte) error {
	packed := make([]byte, 0, len(b))
	for _, c := range b {
		if c != ' ' {
			packed = append(packed, c)
		}
	}
	out := make([]byte, hex.DecodedLen(len(packed)))
	n, err := hex.Decode(out, packed)
	*h = out[:n]
	return err
}
