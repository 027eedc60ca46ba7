package fiscal

import (
	"fmt"
	"time"
)

// DocumentRef is where an FN stands: the answer to "what did you make last, and is something open?".
type DocumentRef struct {
	FN        string    `json:"fn"`
	Last      DocNumber `json:"last_fd"`
	Open      uint8     `json:"open_document"` // tag values of domain/ffd.md §3.2; 0 none
	ShiftOpen bool      `json:"shift_open"`
}

// Document is a fiscal document as its register reports it, either when it is made or when it is read from the archive.
type Document struct {
	Kind      DocumentKind `json:"kind"`
	FN        string       `json:"fn"`
	Number    DocNumber    `json:"fd"`
	Sign      Sign         `json:"fp"`
	Time      DeviceTime   `json:"datetime"`
	Shift     uint32       `json:"shift_number,omitempty"`
	Receipt   uint32       `json:"receipt_number,omitempty"` // within the shift
	Operation Operation    `json:"operation,omitempty"`      // receipts only
	Total     Money        `json:"total,omitempty"`          // receipts only
	Marks     Marks        `json:"marks,omitzero"`

	// Full says that the document's whole content was read, so an absent mark is truly absent. The FN forgets the
	// content after about 30 days and keeps the fields above Marks (domain/ffd.md §1.6).
	Full bool `json:"full"`
}

// FiscalData is what a client gets of a made receipt (domain/ffd.md §5.3). All of it, but for a receipt that is made only by an
// operator's word: of that one the FN, the number and the total are known.
type FiscalData struct {
	FN            string    `json:"fn"`
	FD            DocNumber `json:"fd"`
	FP            string    `json:"fp,omitempty"` // decimal, no padding
	Datetime      time.Time `json:"datetime,omitzero"`
	ShiftNumber   uint32    `json:"shift_number,omitempty"`
	ReceiptNumber uint32    `json:"receipt_number,omitempty"`
	Total         Money     `json:"total"`
	RNM           string    `json:"rnm,omitempty"`
	SN            string    `json:"sn"`
	INN           INN       `json:"inn,omitempty"`
	EIP           DeviceID  `json:"eip"`
	QR            string    `json:"qr,omitempty"`
}

// NewFiscalData joins a document with the register that made it. loc is the zone of the register's clock.
func NewFiscalData(d Document, id Identity, eip DeviceID, loc *time.Location) FiscalData {
	return FiscalData{
		FN:            d.FN,
		FD:            d.Number,
		FP:            d.Sign.String(),
		Datetime:      d.Time.In(loc),
		ShiftNumber:   d.Shift,
		ReceiptNumber: d.Receipt,
		Total:         d.Total,
		RNM:           id.RNM,
		SN:            id.Serial,
		INN:           id.INN,
		EIP:           eip,
		QR:            QR(d),
	}
}

// QR is the text of a receipt's code (domain/ffd.md §5.1).
func QR(d Document) string {
	return fmt.Sprintf("t=%s&s=%s&fn=%s&i=%d&fp=%s&n=%d", d.Time.Format("20060102T1504"), d.Total, d.FN, d.Number, d.Sign, d.Operation)
}
