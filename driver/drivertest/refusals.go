package drivertest

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

func refusalTests() []test {
	return []test{
		{name: "commit refused", makes: true, needs: []hand{canRefuse}, run: commitRefused},
		{name: "commit refused and executed", makes: true, needs: []hand{canRefuse}, run: commitRefusedAndDone},
		{name: "commit refused and the line lost after it", makes: true, needs: []hand{canRefuse}, run: refusedAndLost},
		{name: "every other step refused", makes: true, needs: []hand{canRefuse}, run: stepRefused},
		{name: "reads refused", needs: []hand{canRefuse}, run: readRefused},
		{name: "reading of a long document refused", makes: true, needs: []hand{canRefuse}, run: longReadRefused},
		{name: "cancel", makes: true, run: cancelNothing},
		{name: "cancel a hanging document", makes: true, needs: []hand{canHang}, run: cancelHanging},
		{name: "receipt over a hanging document", makes: true, needs: []hand{canHang}, run: registerOverHanging},
	}
}

// learned is a flow with its commit found.
type learned struct {
	flow
	commit         int // number of the Write that made the document
	commitSent     int // bytes passed to the register before it
	commitLength   int // its own bytes
	commitReceived int // bytes that had come before it
}

// learn makes one receipt and watches the line: what the last Write was at whose beginning the document did not exist.
func (s *stage) learn() learned {
	s.Helper()
	r := s.sale()
	before := s.ref()
	b := s.baseline(&r, before)
	return s.watch(before, func() error { _, err := s.dev.Register(s.Context(), r, b); return err })
}

// watch is learn for any operation that makes one document.
func (s *stage) watch(before fiscal.DocumentRef, do func() error) learned {
	s.Helper()
	var l learned
	s.tap.arm(fault{})
	s.tap.each(func(n int) {
		if len(s.since(before.Last)) > 0 {
			return
		}
		f := s.tap.flow()
		l.commit, l.commitSent, l.commitReceived = n, f.sent, f.received
	})
	require.NoError(s, do())
	require.Len(s, s.since(before.Last), 1)
	l.flow = s.tap.flow()
	l.commitLength = append(l.writes, l.sent)[l.commit+1] - l.commitSent
	s.tap.arm(fault{})
	return l
}

func commitRefused(s *stage) {
	s.ready()
	for _, class := range []Class{ContentFault, DeviceFault, StorageFault} {
		before := s.ref()
		s.Refuse(Refusal{Class: class, Commit: true})
		_, err := s.register(s.dev, s.sale())
		e := s.fiscalError(err)
		require.Equal(s, class.kind(), e.Kind, "%s: %v", class, err)
		require.Equal(s, fiscal.Nothing, e.Effect, "%s: the number was to be seen unmoved: %v", class, err)
		require.NotZero(s, e.Code, "%s: the register's own number is kept", class)
		require.Equal(s, before, s.ref(), "%s: nothing made, nothing hanging", class)
		s.mustRegister(s.dev, s.sale())
	}
}

// commitRefusedAndDone: the register says no and the document exists. Only the number tells.
func commitRefusedAndDone(s *stage) {
	s.ready()
	for _, class := range []Class{ContentFault, DeviceFault, StorageFault} {
		before := s.ref()
		s.Refuse(Refusal{Class: class, Commit: true, Executed: true})
		doc, err := s.register(s.dev, s.sale())
		made := s.since(before.Last)
		require.Len(s, made, 1)
		s.honest("receipt refused for its "+class.String(), made, doc, err)
		require.Equal(s, class.kind(), s.fiscalError(err).Kind)
		s.mustRegister(s.dev, s.sale())
	}
}

// refusedAndLost: a refusal alone is no proof; without all that a driver asks afterwards there is none. The line is cut at
// every byte of those questions and their answers.
func refusedAndLost(s *stage) {
	s.ready()
	refused := func(fl fault, executed bool) (made []Document, doc fiscal.Document, err error) {
		before := s.ready()
		r := s.sale()
		b := s.baseline(&r, before)
		s.Refuse(Refusal{Class: ContentFault, Commit: true, Executed: executed})
		s.tap.arm(fl)
		doc, err = s.dev.Register(s.Context(), r, b)
		s.ref()
		return s.since(before.Last), doc, err
	}
	f := s.learn()
	_, _, err := refused(fault{}, false)
	require.Error(s, err)
	whole := s.tap.flow()
	require.Greater(s, whole.sent, f.sent, "the number is read after a refusal")
	for kind, span := range map[faultKind][2]int{cutSent: {f.sent, whole.sent}, cutReceived: {f.commitReceived + 1, whole.received}} {
		for at := span[0]; at < span[1]; at += max(s.Stride, 1) {
			for _, executed := range []bool{false, true} {
				made, doc, err := refused(fault{kind: kind, at: at, gone: true}, executed)
				s.tap.arm(fault{})
				what := fmt.Sprintf("receipt refused, executed %t, then %s at %d", executed, kind, at)
				require.Equal(s, executed, len(made) == 1, what)
				s.honest(what, made, doc, err)
				require.Equal(s, fiscal.Unknown, s.fiscalError(err).Effect, "%s: %v", what, err)
			}
		}
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// stepRefused: whatever step before the commit is refused, nothing is made and nothing is left hanging.
func stepRefused(s *stage) {
	s.ready()
	f := s.learn()
	for n := range f.commit {
		for _, class := range []Class{ContentFault, DeviceFault, StorageFault} {
			before := s.ref()
			what := fmt.Sprintf("step %d refused for its %s", n, class)
			s.tap.arm(fault{})
			s.tap.before(n, func() { s.Refuse(Refusal{Class: class}) })
			r := s.sale()
			doc, err := s.dev.Register(s.Context(), r, s.baseline(&r, before))
			s.tap.arm(fault{})
			s.honest(what, s.since(before.Last), doc, err)
			e := s.fiscalError(err)
			require.Equal(s, fiscal.Nothing, e.Effect, "%s: %v", what, err)
			require.Equal(s, class.kind(), e.Kind, "%s: %v", what, err)
			require.NotZero(s, e.Code, what)
			require.Equal(s, before, s.ref(), "%s: nothing made, nothing hanging", what)
		}
	}
	s.mustRegister(s.dev, s.sale())
}

// readRefused: a read that is refused is an error or goes without, never a document, never a panic.
func readRefused(s *stage) {
	before, archive := s.ref(), s.Archive()
	for _, name := range []string{"Identify", "Status", "LastDocument", "Document"} {
		s.tap.arm(fault{})
		do := s.operations(s.dev)[name]
		require.NoError(s, do(s.Context()), name)
		steps := len(s.tap.flow().writes)
		for n := range steps {
			for _, class := range []Class{ContentFault, DeviceFault, StorageFault} {
				s.tap.arm(fault{})
				s.tap.before(n, func() { s.Refuse(Refusal{Class: class}) })
				if err := do(s.Context()); err != nil {
					require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect, "%s, step %d: %v", name, n, err)
				}
			}
		}
	}
	s.tap.arm(fault{})
	_, err := s.dev.Identify(s.Context())
	require.NoError(s, err)
	require.Equal(s, archive, s.Archive())
	require.Equal(s, before, s.ref())
}

// longReadRefused: half a document must not pass for the whole of it, whatever step of its reading is refused.
func longReadRefused(s *stage) {
	s.ready()
	want := s.mustRegister(s.dev, s.many(min(8, s.Limits.Items)))
	s.tap.arm(fault{})
	_, err := s.dev.Document(s.Context(), want.Number)
	require.NoError(s, err)
	for n := range s.tap.flow().writes {
		for _, class := range []Class{ContentFault, DeviceFault, StorageFault} {
			s.tap.arm(fault{})
			s.tap.before(n, func() { s.Refuse(Refusal{Class: class}) })
			doc, err := s.dev.Document(s.Context(), want.Number)
			s.readRight(fmt.Sprintf("step %d refused for its %s", n, class), want, doc, err)
		}
	}
	s.tap.arm(fault{})
}

// readRight checks that a document is read right or not at all.
func (s *stage) readRight(what string, want, doc fiscal.Document, err error) {
	s.Helper()
	if err != nil {
		require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect, "%s: %v", what, err)
		require.NotErrorIs(s, err, fiscal.ErrNoDocument, "%s: the document exists", what)
		return
	}
	if !doc.Full {
		want.Full, want.Marks, want.Receipt, want.Shift = false, fiscal.Marks{}, doc.Receipt, doc.Shift
	}
	require.Equal(s, want, doc, what)
}

func cancelNothing(s *stage) {
	for _, state := range []func() fiscal.DocumentRef{s.closed, s.ready} {
		before := state()
		require.NoError(s, s.dev.CancelDocument(s.Context()), "with nothing open it succeeds")
		require.NoError(s, s.dev.CancelDocument(s.Context()))
		require.Equal(s, before, s.ref())
	}
}

func cancelHanging(s *stage) {
	for _, state := range []func() fiscal.DocumentRef{s.ready, s.closed} {
		before := state()
		s.Hang()
		require.NotZero(s, s.ref().Open)
		require.NoError(s, s.dev.CancelDocument(s.Context()))
		require.Equal(s, before, s.ref(), "gone, and no document made of it")
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// registerOverHanging: a worker cancels what hangs before a job. A driver that meets it all the same makes one right
// document or none.
func registerOverHanging(s *stage) {
	before := s.ready()
	s.Hang()
	doc, err := s.register(s.dev, s.sale())
	s.honest("receipt over a hanging document", s.since(before.Last), doc, err)
	if err != nil {
		require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}
