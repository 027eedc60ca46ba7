package terminalfa

import (
	"fmt"

	"frpoold/fiscal"
)

// ErrorCode is the one byte of a refusal: DATA of a reply with RESULT 1 (§7).
type ErrorCode byte

// Grade is how well a row of the table is known.
type Grade uint8

// Grades (§0).
const (
	GradeLow    Grade = iota // inferred
	GradeMedium              // one source
	GradeHigh                // two independent sources, or a capture and one source
)

func (g Grade) String() string {
	switch g {
	case GradeLow:
		return "low"
	case GradeMedium:
		return "medium"
	case GradeHigh:
		return "high"
	default:
		return fmt.Sprintf("grade(%d)", uint8(g))
	}
}

// CodeInfo is what a code says as the answer to a command that can make a document. What it says after a command that
// cannot is the driver's to conclude.
//
// Kind:
//
//	Refused    our content is wrong, and every register will say so
//	Attention  this register, its FN or its registration is the cause; another one may take the receipt
//	Protocol   we sent the wrong thing or at the wrong time
//
// Effect is Nothing only for a check that comes before the FN is asked to sign, or by which the FN declares that it will
// not sign. It is Unknown in three cases, because a wrong Nothing makes a second receipt and a wrong Unknown costs one
// more read:
//
//   - something failed rather than refused: FN, link to the FN, hardware, storage, notifications of marks (03 04 30 35 …);
//   - the code belongs to other commands, so its coming here is not understood (08 20 50 5C E1 …);
//   - the code fits a document that is made. 02: a register that lost the FN's answer and asks it again hears that the
//     FN's state is wrong. 40: paper may end while a made receipt is being printed. 25: it may answer noise that stood
//     before our frame, and the frame be executed after it.
type CodeInfo struct {
	Kind    fiscal.Kind
	Effect  fiscal.Effect
	Grade   Grade
	Section string // of protocols/terminal-fa.md
	Text    string // what is wrong, for people
}

// Info is the code's row of the table. ok is false for a code that is not in it; the row then is the careful one,
// Attention and Unknown.
func (c ErrorCode) Info() (info CodeInfo, ok bool) {
	if info, ok = codeTable[c]; !ok {
		info = CodeInfo{Kind: fiscal.Attention, Effect: fiscal.Unknown, Text: "unknown code"}
	}
	return info, ok
}

// String is the number and the text: "0x16 shift longer than 24 h".
func (c ErrorCode) String() string {
	info, _ := c.Info()
	return fmt.Sprintf("0x%02X %s", byte(c), info.Text)
}

// Refusal is the register's well-formed "no".
type Refusal struct{ Code ErrorCode }

func (e *Refusal) Error() string { return e.Code.String() }
