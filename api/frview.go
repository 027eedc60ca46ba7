package api

import (
	"time"

	"frpoold/circuits"
	"frpoold/fiscal"
)

// Times in /frs are printed as the source document prints them (seeds/README.md): local to the register, to the minute,
// and these words where there is no time.
const (
	seedTime    = "02.01.2006 15:04"
	invalidDate = "Invalid date"
)

// deviceJSON is the state of one device. The first five members are the source document's. What is not known yet is
// null: zero would be a lie (phase 0 is a phase).
type deviceJSON struct {
	EIP            fiscal.DeviceID `json:"eip"`
	SN             *string         `json:"sn"`
	Timestamp      *string         `json:"timestamp"`
	MCUTemperature *int            `json:"mcu_temperature"`
	FS             storageJSON     `json:"fs"`

	Type      string           `json:"type"`
	CircuitID fiscal.CircuitID `json:"circuit_id"`
	IsActive  int              `json:"is_active"`
	Ready     bool             `json:"ready"`
	Reasons   []reasonJSON     `json:"reasons"`
	SeenAt    *time.Time       `json:"seen_at"`
	Working   bool             `json:"working"`
	Queue     int              `json:"queue"` // receipts waiting in the device's circuit
	ServiceMS *int64           `json:"service_ms"`
	Receipts  uint64           `json:"receipts"` // made since the daemon started
	Family    string           `json:"family"`
	Model     *string          `json:"model"`
	Firmware  *string          `json:"firmware"`
	FFD       *string          `json:"ffd"`
	LastFD    *uint32          `json:"last_fd"`
	FNExpires *string          `json:"fn_expires"` // its last day
	TestFN    bool             `json:"test_fn"`
	Printer   *uint8           `json:"printer"`
	Shift     *shiftJSON       `json:"shift"`
}

// storageJSON is the fiscal storage ("fs") as the source document shows it.
type storageJSON struct {
	INN             *fiscal.INN `json:"inn"`
	RNM             *string     `json:"rnm"`
	Phase           *uint8      `json:"phase"`
	SN              *string     `json:"sn"`
	Flags           *uint8      `json:"flags"`
	ShiftIsOpen     *bool       `json:"shift_is_open"`
	OFD             ofdJSON     `json:"ofd"`
	Mode            *uint8      `json:"mode"`
	TaxSystem       *uint8      `json:"tax_system"`
	Agent           *uint8      `json:"agent"`
	CurrentDocument *uint8      `json:"current_document"`
}

// ofdJSON is what the OFD has not confirmed yet.
type ofdJSON struct {
	Number           *uint32 `json:"number"`
	FDFirst          *uint32 `json:"fd_first"`
	FDFirstTimestamp *string `json:"fd_first_timestamp"`
}

type shiftJSON struct {
	Number   uint32             `json:"number"`
	Receipt  uint32             `json:"receipt"`
	OpenedAt *fiscal.DeviceTime `json:"opened_at"` // on the register's clock
}

// reasonJSON is a closed gate.
type reasonJSON struct {
	Code    fiscal.GateCode `json:"code"`
	Message string          `json:"message"`
	Since   *time.Time      `json:"since"`
}

// newDevice joins what the circuits know with what the pool saw. v is nil for a device the pool does not have.
func newDevice(m circuits.Member, v *fiscal.DeviceView, queued int) deviceJSON {
	d := deviceJSON{EIP: m.ID, Type: m.Type, CircuitID: m.Circuit, IsActive: bit(m.Active), Queue: queued, Family: m.Family}
	identity := m.Identity
	if v != nil {
		if v.Identity != nil {
			identity = v.Identity
		}
		d.setView(v)
	}
	if identity != nil {
		d.setIdentity(identity)
	}
	d.Reasons = reasons(m, v)
	d.Ready = len(d.Reasons) == 0
	return d
}

func reasons(m circuits.Member, v *fiscal.DeviceView) []reasonJSON {
	out := []reasonJSON{}
	switch {
	case !m.Active:
		return append(out, reasonJSON{Code: fiscal.GateInactive, Message: "The device is switched off: PATCH /frs/{eip}/activate switches it on."})
	case v == nil || v.Status == nil && v.Ready():
		return append(out, reasonJSON{Code: fiscal.GateOffline, Message: "The device has not answered yet since it was activated or the daemon started."})
	}
	for _, g := range v.Gates {
		r := reasonJSON{Code: g.Code, Message: g.Message}
		if !g.Since.IsZero() {
			r.Since = ptr(g.Since)
		}
		out = append(out, r)
	}
	return out
}

func (d *deviceJSON) setIdentity(id *fiscal.Identity) {
	d.SN = ptr(id.Serial)
	d.FS.INN = ptr(id.INN)
	d.FS.RNM = ptr(id.RNM)
	d.FS.SN = ptr(id.FN)
	d.FS.Mode = ptr(id.Modes)
	d.FS.TaxSystem = ptr(uint8(id.TaxSystems))
	d.FS.Agent = ptr(uint8(id.Agents))
	d.Family = id.Family
	d.Model = ptr(id.Model)
	d.Firmware = ptr(id.Firmware)
	if id.FFD != fiscal.FFDUnknown {
		d.FFD = ptr(id.FFD.String())
	}
	if !id.FNExpires.IsZero() {
		d.FNExpires = ptr(id.FNExpires.Format(time.DateOnly))
	}
	d.TestFN = d.TestFN || fiscal.TestFN(id.FN)
}

func (d *deviceJSON) setView(v *fiscal.DeviceView) {
	d.Working, d.TestFN, d.Receipts = v.Working, v.TestFN, v.Receipts
	if v.Service > 0 {
		d.ServiceMS = ptr(v.Service.Milliseconds())
	}
	st := v.Status
	if st == nil {
		return
	}
	if !v.SeenAt.IsZero() {
		d.SeenAt = ptr(v.SeenAt.UTC())
	}
	if !st.Clock.IsZero() {
		d.Timestamp = ptr(st.Clock.Format(seedTime))
	}
	d.MCUTemperature = st.Temperature
	d.FS.Phase = ptr(uint8(st.Phase))
	d.FS.Flags = ptr(st.Warnings)
	d.FS.ShiftIsOpen = ptr(st.Shift.Open)
	d.FS.CurrentDocument = ptr(st.Document.Open)
	d.FS.OFD = newOFD(st.OFD)
	d.LastFD = ptr(uint32(st.Document.Last))
	d.Printer = ptr(st.Printer)
	d.Shift = &shiftJSON{Number: st.Shift.Number, Receipt: st.Shift.Receipt}
	if st.Shift.Open && !st.Shift.OpenedAt.IsZero() {
		d.Shift.OpenedAt = ptr(st.Shift.OpenedAt)
	}
}

// newOFD prints an empty queue as the source document does.
func newOFD(q fiscal.OFDQueue) ofdJSON {
	if q.Count == 0 {
		return ofdJSON{ptr(uint32(0)), ptr(uint32(0)), ptr(invalidDate)}
	}
	first := invalidDate
	if !q.FirstTime.IsZero() {
		first = q.FirstTime.Format(seedTime)
	}
	return ofdJSON{ptr(q.Count), ptr(uint32(q.First)), ptr(first)}
}

// bit is how the source document writes a yes or no.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func ptr[T any](v T) *T { return &v }
