package simulator

import (
	"fmt"
	"slices"
)

// refusal is the error byte of a reply with RESULT 1 (protocols/terminal-fa.md §7); 0 is no refusal.
type refusal byte

const (
	done             refusal = 0
	badCommandFormat refusal = 0x01
	badState         refusal = 0x02
	fnFailure        refusal = 0x03
	fnLifeOver       refusal = 0x05
	archiveFull      refusal = 0x06
	badFNTime        refusal = 0x07
	noData           refusal = 0x08
	wrongValue       refusal = 0x09
	notInThisFFD     refusal = 0x0A
	duplicateData    refusal = 0x0C
	tlvTooLarge      refusal = 0x10
	ofdWaitsTooLong  refusal = 0x15
	shiftTooLong     refusal = 0x16
	badFrame         refusal = 0x25
	unknownCommand   refusal = 0x26
	badLength        refusal = 0x27
	badFormat        refusal = 0x28
	badOrder         refusal = 0x29
	noFN             refusal = 0x30
	incomplete       refusal = 0x32
	badRNM           refusal = 0x33
	alreadySent      refusal = 0x34
	badOperation     refusal = 0x36
	badTax           refusal = 0x37
	onlyForAgents    refusal = 0x38
	badPayments      refusal = 0x39
	tooMuchNonCash   refusal = 0x3A
	totalDigits      refusal = 0x3B
	moneyDigits      refusal = 0x3C
	tooManyItems     refusal = 0x3D
	agentTwice       refusal = 0x3F
	printerNotReady  refusal = 0x40
	paymentsNotVAT   refusal = 0x45
	paymentsNotSum   refusal = 0x46
	noVATAmount      refusal = 0x47
	badClock         refusal = 0x51
	onlyCredit       refusal = 0x52
	totalNotItems    refusal = 0x54
	badCorrection    refusal = 0x55
	noTaxSystem      refusal = 0x57
	badAgent         refusal = 0x59
	itemAfterTotals  refusal = 0x5A
	noReceipt        refusal = 0x5B
	noCashier        refusal = 0x5E
	placeNotAllowed  refusal = 0x5F
	onlyFFD12        refusal = 0xC0
	noPlace          refusal = 0xC9
	unsentDocuments  refusal = 0xE0
	fnNotActivated   refusal = 0xF4
	fnClosed         refusal = 0xF5
)

// Work modes of a registration (sheet §6.5).
const (
	modeEncryption byte = 0x01
	modeAutonomous byte = 0x02
	modeAutomatic  byte = 0x04
	modeServices   byte = 0x08
	modeBSO        byte = 0x10
	modeInternet   byte = 0x20
)

// Warning flags of the FN (sheet §6.3).
const (
	warnReplaceNow byte = 0x01
	warnResource   byte = 0x02
	warnMemory     byte = 0x04
	warnOFD        byte = 0x08
	warnCritical   byte = 0x80
)

// Documents being built, as 0x08 shows them (sheet §6.2).
const (
	openRegistration   byte = 0x01
	openShiftOpen      byte = 0x02
	openReceipt        byte = 0x04
	openShiftClose     byte = 0x08
	openFNClose        byte = 0x10
	openReRegNewFN     byte = 0x12
	openReRegistration byte = 0x13
	openCorrection     byte = 0x14
	openReport         byte = 0x17
)

// Service bytes in front of the sign in tag 1077 (sheet §3, §11.6).
var (
	signReport     = [2]byte{0x21, 0x04}
	signReceipt    = [2]byte{0x31, 0x04}
	signCorrection = [2]byte{0x33, 0x04}
)

// printerCodes are the values of §6.8.
var printerCodes = map[Printer]byte{
	PrinterReady:    0,
	PrinterNone:     1,
	PrinterNoPaper:  2,
	PrinterJam:      3,
	PrinterCover:    5,
	PrinterCutter:   6,
	PrinterHardware: 7,
}

func unknownPrinter(p Printer) error {
	known := make([]string, 0, len(printerCodes))
	for k := range printerCodes {
		known = append(known, string(k))
	}
	slices.Sort(known)
	return fmt.Errorf("unknown printer state %q, known: %v", p, known)
}
