package simulator

import (
	"encoding/binary"
	"hash/crc32"
	"log/slog"
	"time"

	"frpoold/fiscal"
)

// register is the model of one cash register. It is guarded by its device's mutex.
type register struct {
	profile Profile
	ffd     fiscal.FFD
	lastVAT byte
	zone    *time.Location
	hostNow func() time.Time
	log     *slog.Logger

	strict        bool
	printAtCommit bool
	critical      bool
	printer       Printer
	thermal       thermal
	ofd           operator
	network       [12]byte // address, mask, gateway

	kept    kept
	archive []record // of the FN in place, by FD number less one
	doc     draft    // the document being built
	cursor  []byte   // what 0x36 has still to hand out
	split   int      // bytes left of the TLV it is handing out
	restart bool     // 0xEF was answered; the device acts on it
	remarks uint64   // oddities of hosts that were let through
	scratch fields

	// commit puts the state, and a document when there is one, on disk.
	commit func(doc *record)
}

// kept is what survives a power cut and, with a state folder, the end of the process.
type kept struct {
	Serial      string        `json:"serial"`
	FN          *storage      `json:"fn,omitempty"`     // nil: taken out
	Drawer      *storage      `json:"drawer,omitempty"` // the FN that was taken out; its archive stays
	Generation  int           `json:"generation"`       // storages this register has had before
	Former      *registration `json:"former,omitempty"`
	ClockOffset time.Duration `json:"clock_offset_ns"`
	OFDSettings tlvs          `json:"ofd_settings,omitempty"` // as 0x76 set them
}

// storage is a fiscal storage but for its archive.
type storage struct {
	Number        string            `json:"number"`
	Phase         fiscal.Phase      `json:"phase"`
	Expires       fiscal.DeviceTime `json:"expires"`
	Capacity      uint32            `json:"capacity"`
	Registrations []registration    `json:"registrations"`
	Shift         shift             `json:"shift"`
	Confirmed     uint32            `json:"confirmed"` // the OFD has every document up to this one
}

// shift is the open or the last shift.
type shift struct {
	Open     bool              `json:"open"`
	Number   uint16            `json:"number"`
	OpenedAt fiscal.DeviceTime `json:"opened_at"`
	FirstFD  uint32            `json:"first_fd"`
	Receipts uint16            `json:"receipts"`
	LastFD   uint32            `json:"last_fd"` // of its closing report; 0 while open
}

// registration is what a registration report put into the FN. Texts are CP866.
type registration struct {
	FD        uint32            `json:"fd"`
	Time      fiscal.DeviceTime `json:"time"`
	Sign      uint32            `json:"sign"`
	Reason    byte              `json:"reason"` // 0 for the first
	RNM       string            `json:"rnm"`
	INN       string            `json:"inn"`
	Modes     byte              `json:"modes"`
	ModesExt  byte              `json:"modes_ext,omitempty"` // tag 9998, FFD 1.2
	Tax       byte              `json:"tax"`
	Agents    byte              `json:"agents,omitempty"`
	User      []byte            `json:"user,omitempty"`
	Address   []byte            `json:"address,omitempty"`
	Place     []byte            `json:"place,omitempty"`
	Automat   []byte            `json:"automat,omitempty"`
	Person    []byte            `json:"person,omitempty"`
	PersonINN []byte            `json:"person_inn,omitempty"`
	OFDINN    []byte            `json:"ofd_inn,omitempty"`
	OFDName   []byte            `json:"ofd_name,omitempty"`
	Sender    []byte            `json:"sender,omitempty"`
}

// placed reports that the registration says where settlements are made.
func (g registration) placed() bool {
	return len(g.Address) > 0 && len(g.Place) > 0 && len(g.Automat) > 0
}

// record is one document in the archive.
type record struct {
	Kind        fiscal.DocumentKind `json:"kind"`
	FD          uint32              `json:"fd"`
	Sign        uint32              `json:"sign"`
	Time        fiscal.DeviceTime   `json:"time"`
	Shift       uint16              `json:"shift,omitempty"`
	Receipt     uint16              `json:"receipt,omitempty"`
	Operation   byte                `json:"operation,omitempty"`
	Total       uint64              `json:"total,omitempty"`
	Report      byte                `json:"report,omitempty"` // registrations: their number, from 1
	Unconfirmed uint32              `json:"unconfirmed,omitempty"`
	First       fiscal.DeviceTime   `json:"first"` // settlement reports: time of the first unconfirmed
	TLV         tlvs                `json:"tlv"`
}

// contentDays is how long an FN keeps the content of a document (domain/ffd.md §1.6); the short form stays.
const contentDays = 30

// readable reports that the content of the document is still there. Registration reports are kept for good (0x3B).
func (r *register) readable(d *record) bool {
	return d.Report > 0 || r.now().Sub(d.Time) <= contentDays*24*time.Hour
}

func (r *register) lastFD() uint32 { return uint32(len(r.archive)) }

func (r *register) lastTime() fiscal.DeviceTime {
	if len(r.archive) == 0 {
		return fiscal.DeviceTime{}
	}
	return r.archive[len(r.archive)-1].Time
}

func (r *register) find(fd uint32) *record {
	if fd == 0 || fd > r.lastFD() {
		return nil
	}
	return &r.archive[fd-1]
}

// current is the registration in force.
func (r *register) current() (g registration, ok bool) {
	if r.kept.FN == nil || len(r.kept.FN.Registrations) == 0 {
		return registration{}, false
	}
	return r.kept.FN.Registrations[len(r.kept.FN.Registrations)-1], true
}

// automatic reports that the register needs no cashier.
func (r *register) automatic() bool {
	g, _ := r.current()
	return g.Modes&modeAutomatic != 0
}

// fiscalSign is CRC-32 of FN ‖ U32LE FD ‖ DT5 ‖ U40LE total (sheet §11.6).
func fiscalSign(fn string, fd uint32, t fiscal.DeviceTime, total uint64) uint32 {
	b := make([]byte, 0, 32)
	b = append(b, fn...)
	b = binary.LittleEndian.AppendUint32(b, fd)
	at := dt5(t)
	b = append(b, at[:]...)
	var money [8]byte
	binary.LittleEndian.PutUint64(money[:], total)
	return crc32.ChecksumIEEE(append(b, money[:5]...))
}

// head begins the TLV of a document: what every form has, in the order seen live (sheet §5.7).
func (r *register) head(size int, d *record, g *registration, service [2]byte) tlvs {
	b := make(tlvs, 0, size+128)
	b = b.ascii(1041, r.kept.FN.Number)
	b = b.padded(1037, g.RNM, 20)
	b = b.padded(1018, g.INN, 12)
	b = b.u32(1040, d.FD)
	b = b.unix(1012, d.Time)
	return b.sign(service, d.Sign)
}

// begin makes the record of the next document. The total is 0 for all but receipts.
func (r *register) begin(kind fiscal.DocumentKind, total uint64) record {
	d := record{Kind: kind, FD: r.lastFD() + 1, Time: r.now(), Total: total, Shift: r.kept.FN.Shift.Number}
	d.Sign = fiscalSign(r.kept.FN.Number, d.FD, d.Time, total)
	return d
}

// add puts a finished document into the archive and onto disk, and ends the one being built.
func (r *register) add(d record) *record {
	r.archive = append(r.archive, d)
	r.ofd.enter(r)
	r.doc.reset()
	r.thermal.work(r.hostNow())
	made := &r.archive[len(r.archive)-1]
	r.commit(made)
	return made
}

// powerCut drops what is not kept: the document being built and the cursor of 0x36.
func (r *register) powerCut() {
	r.doc.reset()
	r.cursor, r.split = nil, 0
	r.restart = false
}

// remark notes that a host sent what the sheet does not list.
func (r *register) remark(text string, args ...any) {
	r.remarks++
	r.log.Debug("protocol remark: "+text, args...)
}
