package terminalfa

import (
	"fmt"
	"strconv"

	"frpoold/fiscal"
)

// DescribeRequest is r in one line for a log of exchanges: `total=150.00 operation=1`. The buyer's contact, name and INN
// and the sender's address are masked.
func DescribeRequest(r Request) string { return describeRequest(r, true) }

// DescribeReply is r in one line, masked in the same way.
func DescribeReply(r Reply) string { return describeReply(r, true) }

func describeRequest(r Request, mask bool) string {
	l := line{mask: mask}
	switch r := r.(type) {
	case Bare:
		return "no data"
	case BeginShift:
		l.word("print", printWord(r.Print))
	case FormReceipt:
		l.money("total", r.Total)
		l.uint("operation", uint64(r.Operation))
		if r.Text != "" {
			l.quoted("text", r.Text)
		}
	case FormCorrection:
		l.money("total", r.Total)
		l.uint("operation", uint64(r.Operation))
		l.flag("wide", r.Wide)
	case DocumentQuery:
		l.uint("fd", uint64(r.Number))
	case ReportQuery:
		if !r.Present {
			return "no data"
		}
		l.uint("report", uint64(r.Number))
	case BeginRegistration:
		l.uint("type", uint64(r.Type))
	case FormRegistration:
		l.word("inn", r.INN)
		l.word("rnm", r.RNM)
		l.hex("tax_systems", r.TaxSystems)
		if r.HasReason {
			l.uint("reason", uint64(r.Reason))
		}
	case TLVRequest:
		l.tlvs(r.List)
	default:
		return fmt.Sprintf("%T", r)
	}
	return l.String()
}

func printWord(p PrintFlag) string {
	switch p {
	case PrintUnset:
		return "unset"
	case PrintYes:
		return "yes"
	case PrintNo:
		return "no"
	default:
		return strconv.Itoa(int(p))
	}
}

func describeReply(r Reply, mask bool) string {
	l := line{mask: mask}
	switch r := r.(type) {
	case Empty:
		return "done"
	case Text:
		return strconv.Quote(r.Value)
	case Count:
		l.uint("unconfirmed", uint64(r.N))
	case Selected:
		l.uint("form", uint64(r.Type))
		l.uint("length", uint64(r.Length))
	case TLVReply:
		l.tlvs(r.List)
	case Chunk:
		l.chunk(r.Bytes)
	case ShiftDocument:
		l.uint("shift", uint64(r.Shift))
		l.made(r.FD, r.Sign)
	case ReceiptDocument:
		l.receipt(r)
	case PlainDocument:
		l.made(r.FD, r.Sign)
	case ReportDocument:
		l.made(r.FD, r.Sign)
		l.uint("unconfirmed", uint64(r.Unconfirmed))
		l.date("first", r.First)
	case ArchiveDocument:
		l.archive(r)
	case Activation:
		l.time("time", r.Time)
		l.owner(r.INN, r.RNM)
		l.hex("tax_systems", r.TaxSystems)
		l.hex("modes", r.Modes)
		if r.HasReason {
			l.uint("reason", uint64(r.Reason))
		}
		l.made(r.FD, r.Sign)
	default:
		if !l.info(r) {
			return fmt.Sprintf("%T", r)
		}
	}
	return l.String()
}

// info describes the replies of reply_info.go.
func (l *line) info(r Reply) bool {
	switch r := r.(type) {
	case StatusReply:
		l.word("serial", r.Serial)
		l.time("clock", r.Clock)
		l.flag("critical", r.Critical)
		l.uint("printer", uint64(r.Printer))
		l.flag("fn_present", r.FNPresent)
		l.uint("phase", uint64(r.Phase))
		if r.HasPrinterModel {
			l.uint("printer_model", uint64(r.PrinterModel))
		}
		l.tail(r.Tail)
	case FNExpiryReply:
		l.date("expires", r.Expires)
		l.uint("left", uint64(r.RegistrationsLeft))
		l.uint("done", uint64(r.RegistrationsDone))
	case FNStatusReply:
		l.uint("phase", uint64(r.Phase))
		l.hex("document", r.Document)
		l.flag("data", r.HasData)
		l.flag("shift_open", r.ShiftOpen)
		l.hex("warnings", r.Warnings)
		l.time("last", r.LastTime)
		l.word("fn", r.FN)
		l.uint("fd", uint64(r.LastFD))
	case RegistrationReply:
		l.owner(r.INN, r.RNM)
		l.hex("modes", r.Modes)
		l.hex("tax_systems", r.TaxSystems)
		l.hex("agents", r.Agents)
	case NetworkReply:
		l.word("ip", address(r.IP))
		l.word("mask", address(r.Mask))
		l.word("gateway", address(r.Gateway))
	case FFDReply:
		l.uint("current", uint64(r.Current))
		l.uint("highest", uint64(r.Highest))
	case ShiftReply:
		l.flag("open", r.Open)
		l.uint("shift", uint64(r.Number))
		l.uint("receipt", uint64(r.Receipt))
	case OFDReply:
		l.hex("state", r.State)
		l.uint("reading", uint64(r.Reading))
		l.uint("count", uint64(r.Count))
		l.uint("first_fd", uint64(r.FirstFD))
		l.time("first", r.First)
	default:
		return false
	}
	return true
}

func (l *line) receipt(r ReceiptDocument) {
	l.uint("receipt", uint64(r.Receipt))
	l.made(r.FD, r.Sign)
	if r.HasTime {
		l.time("time", r.Time)
	}
	if r.HasShift {
		l.uint("shift", uint64(r.Shift))
	}
}

// archive leaves out what the form does not have.
func (l *line) archive(r ArchiveDocument) {
	l.uint("form", uint64(r.Type))
	if r.RawType != r.Type && r.RawType != 0 {
		l.hex("raw", r.RawType)
	}
	l.flag("confirmed", r.Confirmed)
	l.time("time", r.Time)
	l.made(r.FD, r.Sign)
	switch r.form() {
	case formReceipt, formBSO, formCorrection, formBSOCorrection:
		l.money("total", r.Total)
		l.uint("operation", uint64(r.Operation))
	case formShiftOpen, formShiftClose:
		l.uint("shift", uint64(r.Shift))
	case formFNClose:
		l.owner(r.INN, r.RNM)
	case formRegistration, formReRegistration:
		l.owner(r.INN, r.RNM)
		l.hex("tax_systems", r.TaxSystems)
		l.hex("modes", r.Modes)
		if r.Type == formReRegistration {
			l.uint("reason", uint64(r.Reason))
		}
	case formSettlement:
		l.uint("unconfirmed", uint64(r.Unconfirmed))
		if r.FirstIsDate {
			l.date("first", r.First)
		} else {
			l.time("first", r.First)
		}
	}
	l.tail(r.Tail)
}

func (l *line) made(fd, sign uint32) {
	l.uint("fd", uint64(fd))
	l.word("sign", fiscal.Sign(sign).String())
}

func (l *line) owner(inn, rnm string) {
	l.word("inn", inn)
	l.word("rnm", rnm)
}

func address(b [4]byte) string { return fmt.Sprintf("%d.%d.%d.%d", b[0], b[1], b[2], b[3]) }
