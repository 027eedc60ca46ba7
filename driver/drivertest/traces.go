package drivertest

import (
	"bytes"
	"context"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"frpoold/fiscal"
)

func traceTests() []test {
	return []test{
		{name: "exchanges are told", run: exchangesTold},
		{name: "failed exchanges are told", run: failuresTold},
		{name: "exchanges tell nothing about the buyer", makes: true, run: buyerMasked},
	}
}

func exchangesTold(s *stage) {
	s.tap.arm(fault{})
	for _, name := range []string{"Identify", "Status", "LastDocument", "Document"} {
		s.trace = nil
		s.tap.arm(fault{})
		require.NoError(s, s.operations(s.dev)[name](s.Context()))
		require.NotEmpty(s, s.trace, name)
		sent, received := 0, 0
		for _, e := range s.trace {
			require.NotEmpty(s, e.Command)
			require.NotEmpty(s, e.Meaning, e.Command)
			require.NotEmpty(s, e.Request, e.Command)
			require.NotEmpty(s, e.Reply, e.Command)
			require.False(s, e.At.IsZero())
			require.GreaterOrEqual(s, e.Took, e.Took*0)
			sent, received = sent+len(e.Request), received+len(e.Reply)
		}
		f := s.tap.flow()
		require.LessOrEqual(s, sent, f.sent, "%s: bytes were told that never left", name)
		require.LessOrEqual(s, received, f.received, "%s: bytes were told that never came", name)
	}
}

func failuresTold(s *stage) {
	for _, kind := range []faultKind{cutSent, cutReceived, corrupted} {
		s.trace = nil
		s.tap.arm(fault{kind: kind, at: 1})
		err := s.operations(s.dev)["LastDocument"](s.Context())
		if err == nil {
			continue // the family asked again
		}
		require.NotEmpty(s, s.trace)
		require.NotEmpty(s, s.trace[len(s.trace)-1].Error, "%s: a failed exchange says why", kind)
	}
	s.tap.arm(fault{})
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	s.trace = nil
	require.Error(s, s.operations(s.dev)["LastDocument"](ctx))
	require.Empty(s, s.trace, "nothing was exchanged")
}

// buyerMasked: contact, name and INN of the buyer are neither in the bytes nor in the words, when a receipt is made, when
// it fails, and when it is read back.
func buyerMasked(s *stage) {
	s.ready()
	r := s.sale()
	name := "Тайный Покупатель" + strings.Repeat(" и сыновья", 22) + " Тайный Покупатель" // long enough to be told in pieces
	r.Customer = fiscal.Customer{Contact: "secret.person@example.com", Name: name, INN: "500100732259"}
	s.trace = nil
	made := s.mustRegister(s.dev, r)
	_, err := s.dev.Document(s.Context(), made.Number)
	require.NoError(s, err)
	r.Items = s.many(min(20, s.Limits.Items)).Items
	r = paid(r)
	made = s.mustRegister(s.dev, r)
	_, err = s.dev.Document(s.Context(), made.Number)
	require.NoError(s, err)
	if s.Refuse != nil {
		s.Refuse(Refusal{Class: ContentFault, Commit: true})
		_, err = s.register(s.dev, r)
		require.Error(s, err)
		s.unspoken(err.Error())
	}
	s.tap.arm(fault{kind: corrupted, at: 5})
	if _, err = s.dev.Document(s.Context(), made.Number); err != nil {
		s.unspoken(err.Error())
	}
	s.tap.arm(fault{})
	for _, e := range s.trace {
		s.unspoken(e.Meaning)
		s.unspoken(e.Error)
		s.unwritten(e.Command, e.Request)
		s.unwritten(e.Command, e.Reply)
	}
	require.True(s, strings.Contains(s.trace[0].Command, " "), "a command is told by number and name: %q", s.trace[0].Command)
}

var secrets = []string{"secret.person", "Тайный Покупатель", "сыновья", "500100732259"}

func (s *stage) unspoken(text string) {
	s.Helper()
	for _, secret := range secrets {
		require.NotContains(s, text, secret)
	}
}

func (s *stage) unwritten(command string, b []byte) {
	s.Helper()
	for _, secret := range secrets {
		for _, page := range []*charmap.Charmap{charmap.CodePage866, charmap.Windows1251} {
			raw, err := page.NewEncoder().Bytes([]byte(secret))
			require.NoError(s, err)
			require.False(s, bytes.Contains(b, raw), "%s: %q stands in % X", command, secret, b)
		}
	}
}
