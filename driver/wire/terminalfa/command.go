package terminalfa

import "fmt"

// Command is the code of a request (§4).
type Command byte

// Commands this codec has a layout for.
const (
	CmdStatus            Command = 0x01
	CmdSerial            Command = 0x02
	CmdFirmware          Command = 0x03
	CmdModel             Command = 0x04
	CmdFNNumber          Command = 0x05
	CmdFNFirmware        Command = 0x06
	CmdFNExpiry          Command = 0x07
	CmdFNStatus          Command = 0x08
	CmdFNErrors          Command = 0x09
	CmdRegistration      Command = 0x0A
	CmdConfiguration     Command = 0x0B
	CmdNetwork           Command = 0x0E
	CmdFFD               Command = 0x0F
	CmdCancel            Command = 0x10
	CmdBeginRegistration Command = 0x12
	CmdFormRegistration  Command = 0x13
	CmdBeginFNClose      Command = 0x14
	CmdFormFNClose       Command = 0x15
	CmdRegistrationData  Command = 0x16
	CmdFNCloseData       Command = 0x17
	CmdAutomat           Command = 0x1F
	CmdShift             Command = 0x20
	CmdBeginOpenShift    Command = 0x21
	CmdOpenShift         Command = 0x22
	CmdBeginReceipt      Command = 0x23
	CmdFormReceipt       Command = 0x24
	CmdBeginCorrection   Command = 0x25
	CmdFormCorrection    Command = 0x26
	CmdBeginReport       Command = 0x27
	CmdFormReport        Command = 0x28
	CmdBeginCloseShift   Command = 0x29
	CmdCloseShift        Command = 0x2A
	CmdItem              Command = 0x2B
	CmdAgent             Command = 0x2C
	CmdPayment           Command = 0x2D
	CmdCorrectionData    Command = 0x2E
	CmdCashier           Command = 0x2F
	CmdFind              Command = 0x30
	CmdUnconfirmed       Command = 0x32
	CmdActivation        Command = 0x33
	CmdSelect            Command = 0x35
	CmdReadTLV           Command = 0x36
	CmdDocumentTLV       Command = 0x3A
	CmdRegistrationTLV   Command = 0x3B
	CmdAutomatCorrection Command = 0x3F
	CmdOFDStatus         Command = 0x50
	CmdSetClock          Command = 0x72
	CmdGetClock          Command = 0x73
	CmdSetOFD            Command = 0x76
	CmdGetOFD            Command = 0x77
	CmdClearMarks        Command = 0x95
	CmdItem12            Command = 0x96
	CmdReceiptData12     Command = 0x98

	CmdBeginRegistration12 Command = 0xE1
	CmdRegistrationData12  Command = 0xE2
	CmdFormRegistration12  Command = 0xE3
	CmdRestart             Command = 0xEF
)

// requestLayout is the shape of a request's DATA.
type requestLayout uint8

const (
	reqUnknown requestLayout = iota
	reqBare
	reqBareLoose // bare, and surplus bytes are accepted (§11.3)
	reqTLVs
	reqShiftBegin
	reqShiftCommit // bare; the firmware of §5.2 takes a print byte
	reqReceipt
	reqCorrection
	reqDocument
	reqDocumentLoose
	reqReport
	reqReportLoose
	reqRegistrationType
	reqRegistrationForm
)

// replyLayout is the shape of a reply's DATA.
type replyLayout uint8

const (
	repUnknown replyLayout = iota
	repEmpty
	repText
	repOpaque
	repSerial
	repFN
	repStatus
	repFNExpiry
	repFNStatus
	repRegistration
	repNetwork
	repFFD
	repShift
	repShiftDocument
	repReceipt
	repCorrection
	repPlain
	repReport
	repArchive
	repCount
	repActivation
	repSelected
	repTLVs
	repChunk
	repOFD
)

// spec is a command's row in §4.
type spec struct {
	name    string
	request requestLayout
	reply   replyLayout
}

var specs = [256]spec{
	CmdStatus:            {"status", reqBare, repStatus},
	CmdSerial:            {"serial number", reqBare, repSerial},
	CmdFirmware:          {"firmware version", reqBare, repText},
	CmdModel:             {"model", reqBare, repText},
	CmdFNNumber:          {"FN number", reqBare, repFN},
	CmdFNFirmware:        {"FN firmware", reqBare, repText},
	CmdFNExpiry:          {"FN expiry", reqBare, repFNExpiry},
	CmdFNStatus:          {"FN status", reqBare, repFNStatus},
	CmdFNErrors:          {"last FN errors", reqBare, repOpaque},
	CmdRegistration:      {"registration parameters", reqBare, repRegistration},
	CmdConfiguration:     {"configuration version", reqBare, repText},
	CmdNetwork:           {"live TCP/IP", reqBare, repNetwork},
	CmdFFD:               {"FFD versions", reqBare, repFFD},
	CmdCancel:            {"cancel document", reqBare, repEmpty},
	CmdBeginRegistration: {"begin registration", reqRegistrationType, repEmpty},
	CmdFormRegistration:  {"form registration", reqRegistrationForm, repPlain},
	CmdBeginFNClose:      {"begin FN closing", reqBare, repEmpty},
	CmdFormFNClose:       {"form FN closing", reqBare, repPlain},
	CmdRegistrationData:  {"registration data", reqTLVs, repEmpty},
	CmdFNCloseData:       {"FN closing data", reqTLVs, repEmpty},
	CmdAutomat:           {"automatic device data, receipt", reqTLVs, repEmpty},
	CmdShift:             {"current shift", reqBare, repShift},
	CmdBeginOpenShift:    {"begin open shift", reqShiftBegin, repEmpty},
	CmdOpenShift:         {"open shift", reqShiftCommit, repShiftDocument},
	CmdBeginReceipt:      {"begin receipt", reqBareLoose, repEmpty},
	CmdFormReceipt:       {"form receipt", reqReceipt, repReceipt},
	CmdBeginCorrection:   {"begin correction", reqBareLoose, repEmpty},
	CmdFormCorrection:    {"form correction", reqCorrection, repCorrection},
	CmdBeginReport:       {"begin settlement report", reqBare, repEmpty},
	CmdFormReport:        {"form settlement report", reqBare, repReport},
	CmdBeginCloseShift:   {"begin close shift", reqShiftBegin, repEmpty},
	CmdCloseShift:        {"close shift", reqShiftCommit, repShiftDocument},
	CmdItem:              {"item", reqTLVs, repEmpty},
	CmdAgent:             {"agent data", reqTLVs, repEmpty},
	CmdPayment:           {"payment data", reqTLVs, repEmpty},
	CmdCorrectionData:    {"correction data", reqTLVs, repEmpty},
	CmdCashier:           {"cashier data", reqTLVs, repEmpty},
	CmdFind:              {"find document", reqDocumentLoose, repArchive},
	CmdUnconfirmed:       {"unconfirmed count", reqBare, repCount},
	CmdActivation:        {"activation summary", reqReport, repActivation},
	CmdSelect:            {"select document", reqDocument, repSelected},
	CmdReadTLV:           {"read next TLV", reqBare, repChunk},
	CmdDocumentTLV:       {"document as TLV", reqDocument, repTLVs},
	CmdRegistrationTLV:   {"registration report as TLV", reqReportLoose, repTLVs},
	CmdAutomatCorrection: {"automatic device data, correction", reqTLVs, repEmpty},
	CmdOFDStatus:         {"OFD status", reqBare, repOFD},
	CmdSetClock:          {"set clock", reqTLVs, repEmpty},
	CmdGetClock:          {"get clock", reqBare, repTLVs},
	CmdSetOFD:            {"set OFD", reqTLVs, repEmpty},
	CmdGetOFD:            {"get OFD", reqBare, repTLVs},
	CmdClearMarks:        {"clear marks", reqBare, repEmpty},
	CmdItem12:            {"item FFD 1.2", reqTLVs, repEmpty},
	CmdReceiptData12:     {"receipt data FFD 1.2", reqTLVs, repEmpty},

	CmdBeginRegistration12: {"begin registration FFD 1.2", reqRegistrationType, repEmpty},
	CmdRegistrationData12:  {"registration data FFD 1.2", reqTLVs, repEmpty},
	CmdFormRegistration12:  {"form registration FFD 1.2", reqRegistrationForm, repPlain},
	CmdRestart:             {"restart", reqBare, repEmpty},
}

// Known reports whether the codec has the command's layout.
func (c Command) Known() bool { return specs[c].request != reqUnknown }

// String is the code and the name: "08 FN status".
func (c Command) String() string {
	if !c.Known() {
		return fmt.Sprintf("%02X unknown command", byte(c))
	}
	return fmt.Sprintf("%02X %s", byte(c), specs[c].name)
}

// MakesDocument reports whether the command is the one that forms a fiscal document: it must never be sent twice.
func (c Command) MakesDocument() bool {
	switch c {
	case CmdFormRegistration, CmdFormFNClose, CmdOpenShift, CmdFormReceipt, CmdFormCorrection, CmdFormReport, CmdCloseShift,
		CmdFormRegistration12:
		return true
	default:
		return false
	}
}
