package fiscal

import "time"

// Identity is who a register is: what does not change between two polls. It is read on every connect.
type Identity struct {
	Family     string     `json:"family"`
	Model      string     `json:"model"`
	Serial     string     `json:"serial"`
	Firmware   string     `json:"firmware"`
	FN         string     `json:"fn"`
	FNFirmware string     `json:"fn_firmware,omitempty"`
	FNExpires  DeviceTime `json:"fn_expires"` // at 00:00 of its last day
	INN        INN        `json:"inn"`
	RNM        string     `json:"rnm"`
	FFD        FFD        `json:"ffd"`
	TaxSystems TaxSystem  `json:"tax_systems"` // mask of tag 1062, as the FN's own byte
	Agents     AgentType  `json:"agents"`      // mask of tag 1057
	Modes      uint8      `json:"modes"`       // the FN's own byte: 1 encryption, 2 offline, 4 automatic, 8 services, 16 BSO, 32 internet
	VATs       VATSet     `json:"vats"`        // the rates its firmware knows

	// Place of settlement in its registration; a register without one wants it with every receipt.
	Address      string `json:"address,omitempty"`
	Place        string `json:"place,omitempty"`
	DeviceNumber string `json:"device_number,omitempty"`
}

// Automatic reports that the register needs no cashier.
func (i Identity) Automatic() bool { return i.Modes&0x04 != 0 }

// Status is how a register is at one moment. Reading it changes nothing on the register.
type Status struct {
	Clock     DeviceTime
	ReadAt    time.Time // the host's clock when Clock was read
	FNPresent bool
	Critical  bool // the register reports a critical error of its own
	Phase     Phase
	Warnings  uint8 // FN flags, domain/ffd.md §3.3
	Printer   uint8 // the family's own code, 0 ready
	Document  DocumentRef
	LastTime  DeviceTime // time of the last document
	Shift     ShiftState
	OFD       OFDQueue

	Temperature *int // °C, nil where nobody can tell
}

// Warning flags of an FN (domain/ffd.md §3.3).
const (
	WarnReplaceNow    uint8 = 0x01 // keys end within 3 days
	WarnResource      uint8 = 0x02 // keys end within 30 days
	WarnMemory        uint8 = 0x04 // archive 90 % full
	WarnOFDTimeout    uint8 = 0x08 // OFD silent for more than 2 days
	WarnCriticalError uint8 = 0x80
)

// ShiftState is the current or last shift.
type ShiftState struct {
	Open     bool
	Number   uint32
	Receipt  uint32     // last receipt of the open shift
	OpenedAt DeviceTime // from its opening report; zero when unknown or closed
}

// OFDQueue is what the OFD has not confirmed yet.
type OFDQueue struct {
	Count     uint32
	First     DocNumber
	FirstTime DeviceTime
}

// FNCapacity is how many documents a storage can sign (domain/ffd.md §3.4).
const FNCapacity = 250_000
