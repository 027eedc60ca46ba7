package terminalfa

import (
	"context"
	"fmt"

	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

const (
	maxDocument = 32 << 10 // 30 KB of TLV a document (domain/ffd.md §3.4), with room
	maxChunks   = 4096
)

// Document reads a document's short record (0x30) and, for receipts and corrections, its whole content: by 0x3A, or by
// 0x35 and 0x36 when it does not fit one frame (§5.7, §15).
func (d *Device) Document(ctx context.Context, n fiscal.DocNumber) (fiscal.Document, error) {
	const op = "Document"
	short, err := ask[wire.ArchiveDocument](ctx, d, op, wire.DocumentQuery{Cmd: wire.CmdFind, Number: uint32(n)})
	if err != nil {
		if code, refused := refusal(err); refused && code == codeNotInArchive {
			return fiscal.Document{}, &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Other, Effect: fiscal.Nothing,
				Code: fiscal.Code(code), Err: fmt.Errorf("document %d: %w", n, fiscal.ErrNoDocument)}
		}
		return fiscal.Document{}, err
	}
	doc := fiscal.Document{
		Kind: fiscal.DocumentKind(short.Type), FN: d.identity.FN, Number: fiscal.DocNumber(short.FD), Sign: fiscal.Sign(short.Sign),
		Time: short.Time, Shift: uint32(short.Shift), Operation: fiscal.Operation(short.Operation), Total: fiscal.Money(short.Total),
	}
	if doc.Number != n {
		return fiscal.Document{}, &fiscal.Error{Op: Family + "." + op, Kind: fiscal.Attention, Effect: fiscal.Nothing,
			Err: fmt.Errorf("asked for document %d, got %d", n, doc.Number)}
	}
	if doc.Kind.HoldsNoReceipt() {
		doc.Full = true // no marks can stand in it
		return doc, nil
	}
	content, err := d.content(ctx, n)
	if err != nil {
		return fiscal.Document{}, err
	}
	if content != nil {
		doc.Full = readContent(content, &doc)
	}
	return doc, nil
}

// content is a document's TLVs, nil when the FN has forgotten them.
func (d *Device) content(ctx context.Context, n fiscal.DocNumber) ([]wire.TLV, error) {
	whole, err := ask[wire.TLVReply](ctx, d, "Document", wire.DocumentQuery{Cmd: wire.CmdDocumentTLV, Number: uint32(n)})
	if err == nil {
		return whole.List, nil
	}
	code, refused := refusal(err)
	switch {
	case refused && code == codeNotInArchive:
		return nil, nil
	case refused && (code == codeTooLarge || code == codeUnknownCommand):
		return d.contentByTLV(ctx, n)
	default:
		return nil, err
	}
}

// contentByTLV reads a document piece by piece. A long TLV comes in several pieces, and 0x08 is the end (§5.7).
func (d *Device) contentByTLV(ctx context.Context, n fiscal.DocNumber) ([]wire.TLV, error) {
	_, err := d.exchange(ctx, "Document", wire.DocumentQuery{Cmd: wire.CmdSelect, Number: uint32(n)})
	if code, refused := refusal(err); refused && code == codeNotInArchive {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var body []byte
	for range maxChunks {
		chunk, err := ask[wire.Chunk](ctx, d, "Document", wire.Bare{Cmd: wire.CmdReadTLV})
		if code, refused := refusal(err); refused && code == codeNotInArchive {
			list, parseErr := wire.ParseTLVs(body)
			if parseErr != nil {
				return nil, &fiscal.Error{Op: Family + ".Document", Kind: fiscal.Attention, Effect: fiscal.Nothing, Err: parseErr}
			}
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if body = append(body, chunk.Bytes...); len(body) > maxDocument {
			break
		}
	}
	return nil, &fiscal.Error{Op: Family + ".Document", Kind: fiscal.Attention, Effect: fiscal.Nothing,
		Err: fmt.Errorf("document %d does not end within %d bytes", n, maxDocument)}
}

// readContent takes what settling and the client need from a document's tags. It reports whether the content is of the
// document the short record describes: a cursor that someone else moved must not lend one document another's stamp.
func readContent(list []wire.TLV, doc *fiscal.Document) bool {
	same := false
	var marks fiscal.Marks
	for _, t := range list {
		switch t.Tag {
		case wire.TagFDNumber:
			n, ok := t.Uint32()
			same = ok && fiscal.DocNumber(n) == doc.Number
		case wire.TagFNNumber:
			doc.FN = t.Text()
		case wire.TagShiftNumber:
			if n, ok := t.Uint32(); ok {
				doc.Shift = n
			}
		case wire.TagReceiptNumber:
			if n, ok := t.Uint32(); ok {
				doc.Receipt = n
			}
		case wire.TagCheckProps:
			marks.CheckProps = t.Text()
		case wire.TagUserProp:
			marks.UserProps = userProps(t)
		}
	}
	if same {
		doc.Marks = marks
	}
	return same
}

func userProps(t wire.TLV) *fiscal.UserProps {
	inner, err := t.Nested()
	if err != nil {
		return nil
	}
	var p fiscal.UserProps
	for _, t := range inner {
		switch t.Tag {
		case wire.TagUserPropName:
			p.Name = t.Text()
		case wire.TagUserPropValue:
			p.Value = t.Text()
		}
	}
	return &p
}
