// Package probe finds out which protocol family answers on a line, for device types that do not say (`pkfa12`).
//
// Source: protocols/terminal-fa.md §13. Both questions change nothing on a register: the first is Terminal-FA's status
// request, the second Shtrih-M's ENQ. The bytes are written out here because the probe belongs to no family.
package probe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"frpoold/driver/link"
	"frpoold/fiscal"
)

// Families a probe can find.
const (
	TerminalFA = "terminalfa"
	ShtrihM    = "shtrihm"
)

var (
	statusRequest = []byte{0xB6, 0x29, 0x00, 0x01, 0x01, 0x8C, 0xEF} // terminal-fa.md §10, command 01
	statusStart   = []byte{0xB6, 0x29}
)

const (
	enq = 0x05
	ack = 0x06
	nak = 0x15
)

// Find asks on a line of its own per question. wait bounds each answer. Its errors are *fiscal.Error of kind Offline when
// nobody answers, Protocol when what answers is neither, and Canceled when the caller gave up first.
func Find(ctx context.Context, d link.Dialer, wait time.Duration) (string, error) {
	first, err := ask(ctx, d, wait, statusRequest, len(statusStart))
	if err != nil {
		return "", unanswered(ctx, err)
	}
	if bytes.Equal(first, statusStart) {
		return TerminalFA, nil
	}
	second, err := ask(ctx, d, wait, []byte{enq}, 1)
	if err != nil {
		return "", unanswered(ctx, err)
	}
	switch {
	case len(second) == 1 && (second[0] == ack || second[0] == nak):
		return ShtrihM, nil
	case len(first) == 0 && len(second) == 0:
		return "", failure(fiscal.Offline, errors.New("the line stands, but neither Terminal-FA nor Shtrih-M answers on it"))
	default:
		return "", failure(fiscal.Protocol, fmt.Errorf("what answers (% X) is neither Terminal-FA nor Shtrih-M: %w", append(first, second...), fiscal.ErrOtherFamily))
	}
}

// ask writes a question and reads up to n bytes of the answer; silence is an empty answer.
func ask(ctx context.Context, d link.Dialer, wait time.Duration, question []byte, n int) ([]byte, error) {
	conn, err := d.Dial(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Abort() }() // the rest of the answer is not wanted
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return nil, err
	}
	if _, err := conn.Write(question); err != nil {
		return nil, nil //nolint:nilerr // a line that closes on the wrong question is an answer: not this family
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	answer := make([]byte, n)
	got, _ := io.ReadFull(conn, answer) //nolint:errcheck // silence and a short answer are answers too
	if got < n && ctx.Err() != nil {
		return nil, context.Cause(ctx) // cut short, it says nothing about who is there
	}
	return answer[:got], nil
}

func unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return failure(fiscal.Canceled, context.Cause(ctx))
	}
	return failure(fiscal.Offline, err)
}

func failure(kind fiscal.Kind, err error) error {
	return &fiscal.Error{Op: "probe.Find", Kind: kind, Effect: fiscal.Nothing, Err: err}
}
