package terminalfa

import (
	"encoding/binary"
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
	if _, ok := req.(wire.TLVRequest); ok {
		maskTLVs(e.Request[dataAt : len(e.Request)-crcSize])
	}
	if frame != nil {
		if whole, encodeErr := wire.AppendFrame(nil, *frame); encodeErr == nil {
			e.Reply = whole
			if frame.Code == 0 {
				d.maskReply(req.Command(), e.Reply[dataAt:len(e.Reply)-crcSize])
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

// A frame is START 2, LENGTH 2, CODE 1, DATA, CRC 2 (§1.1).
const (
	dataAt  = 5
	crcSize = 2
)

// maskReply masks what an answer holds of a document: all of it (3A), or the next TLV of it, perhaps in pieces (36).
func (d *Device) maskReply(c wire.Command, data []byte) {
	switch c {
	case wire.CmdSelect:
		d.torn = tornTLV{}
	case wire.CmdReadTLV:
		data = d.torn.rest(data)
		d.torn.begin(maskTLVs(data))
	case wire.CmdDocumentTLV:
		mask(maskTLVs(data)) // what is left is no TLV, so nobody knows whose it is
	}
}

// tornTLV is a TLV that 36 hands out in pieces (§5.7): the name of a buyer is long enough for it.
type tornTLV struct {
	left     int // bytes of it still to come
	personal bool
}

// rest takes what belongs to the torn TLV off the front of data, masking it if need be.
func (t *tornTLV) rest(data []byte) []byte {
	n := min(t.left, len(data))
	if t.personal {
		mask(data[:n])
	}
	t.left -= n
	return data[n:]
}

// begin notes a TLV of which only the first piece came.
func (t *tornTLV) begin(piece []byte) {
	if len(piece) < tlvHead {
		return
	}
	tag, length := wire.Tag(binary.LittleEndian.Uint16(piece)), int(binary.LittleEndian.Uint16(piece[2:]))
	*t = tornTLV{left: tlvHead + length - len(piece), personal: slices.Contains(personal, tag)}
	if t.personal {
		mask(piece[tlvHead:])
	}
}

const tlvHead = 4 // tag and length (§3)

// maskTLVs overwrites personal values in place and returns what stands behind the last whole TLV. The copy's CRC no longer
// fits, which is how a reader sees that it was masked.
func maskTLVs(data []byte) (rest []byte) {
	for len(data) >= tlvHead {
		end := tlvHead + int(binary.LittleEndian.Uint16(data[2:]))
		if end > len(data) {
			break
		}
		if slices.Contains(personal, wire.Tag(binary.LittleEndian.Uint16(data))) {
			mask(data[tlvHead:end])
		}
		data = data[end:]
	}
	return data
}

func mask(b []byte) {
	for i := range b {
		b[i] = '*'
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
