package terminalfa

import (
	"slices"
	"time"

	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// personal are the tags whose values are about the buyer and leave no trace (style.md §8).
var personal = []wire.Tag{wire.TagContact, wire.TagBuyer, wire.TagBuyerINN, wire.TagBuyerInfo}

// trace reports an exchange to the caller's ring. frame is nil when no whole answer came.
func (d *Device) trace(began time.Time, req wire.Request, frame *wire.Frame, reply wire.Reply, err error) {
	if d.opts.Trace == nil {
		return
	}
	e := fiscal.Exchange{
		At:      began,
		Took:    time.Since(began),
		Command: req.Command().String(),
		Request: slices.Clone(d.out),
		Meaning: wire.DescribeRequest(req),
	}
	if r, ok := req.(wire.TLVRequest); ok && len(r.List) > 0 {
		maskTLVs(e.Request[len(e.Request)-2-listLen(e.Request):][:listLen(e.Request)])
	}
	if frame != nil {
		if whole, encodeErr := wire.AppendFrame(nil, *frame); encodeErr == nil {
			e.Reply = whole
			if frame.Code == 0 && carriesTLVs(req.Command()) {
				maskTLVs(e.Reply[len(e.Reply)-2-len(frame.Data):][:len(frame.Data)])
			}
		}
	}
	if reply != nil {
		e.Meaning += " -> " + wire.DescribeReply(reply)
	}
	if err != nil && expected(req.Command(), err) {
		e.Meaning += " -> " + err.Error()
	} else if err != nil {
		e.Error = err.Error()
	}
	d.opts.Trace(e)
}

// listLen is the length of DATA in a whole request frame: START 2, LENGTH 2, CODE 1, DATA, CRC 2 (§1.1).
func listLen(frame []byte) int { return len(frame) - 7 }

func carriesTLVs(c wire.Command) bool {
	return c == wire.CmdReadTLV || c == wire.CmdDocumentTLV
}

// maskTLVs overwrites personal values in place. The copy's CRC no longer fits, which is how a reader sees that it was
// masked. A piece of a split TLV does not parse and is left alone: only items are ever split, and they are not personal.
func maskTLVs(data []byte) {
	list, err := wire.ParseTLVs(data)
	if err != nil {
		return
	}
	for _, t := range list {
		if slices.Contains(personal, t.Tag) {
			for i := range t.Value {
				t.Value[i] = '*'
			}
		}
	}
}

// expected reports a refusal that is part of the dialogue and must not fill the list of failures: firmware before FFD 1.2
// does not know 0F, registration reports are probed until one is missing, 08 ends the reading of a document, and a cancel
// may find nothing open.
func expected(c wire.Command, err error) bool {
	code, refused := refusal(err)
	switch {
	case !refused:
		return false
	case c == wire.CmdFFD:
		return code == codeUnknownCommand
	case c == wire.CmdReadTLV, c == wire.CmdRegistrationTLV:
		return code == codeNotInArchive
	case c == wire.CmdCancel:
		return code == codeWrongState
	default:
		return false
	}
}
