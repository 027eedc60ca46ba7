package drivertest

import (
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

func lineTests() []test {
	return []test{
		{name: "line cut at every byte of a receipt", makes: true, run: func(s *stage) { s.everyByte(receiptOnly, cutSent, cutReceived) }},
		{name: "line silent at every byte of a receipt", makes: true, run: func(s *stage) { s.everyByte(receiptOnly, silence) }},
		{name: "every byte of an answer corrupted", makes: true, run: func(s *stage) { s.everyByte(receiptOnly, corrupted) }},
		{name: "line cut at every byte of a report", makes: true, run: func(s *stage) { s.everyByte(reportsOnly, cutSent, cutReceived) }},
		{name: "every byte of a report's answers corrupted", makes: true, run: func(s *stage) { s.everyByte(reportsOnly, corrupted) }},
		{name: "line cut all over the reads", run: readsCut},
		{name: "line cut while a long document is read", makes: true, run: longReadCut},
		{name: "every command of a receipt lost", makes: true, run: func(s *stage) { s.everyWrite(lost) }},
		{name: "every command of a receipt late", makes: true, run: func(s *stage) { s.everyWrite(held) }},
		{name: "late command after the doubt was settled", makes: true, run: lateAfterCancel},
	}
}

// victim is an operation that makes one document: how to get ready for it and how to do it.
type victim struct {
	name    string
	prepare func() (before fiscal.DocumentRef, do func(driver.Device) (fiscal.Document, error))
}

func receiptOnly(s *stage) []victim {
	return []victim{{"receipt", func() (fiscal.DocumentRef, func(driver.Device) (fiscal.Document, error)) {
		before := s.ready()
		r := s.sale()
		b := s.baseline(&r, before)
		return before, func(d driver.Device) (fiscal.Document, error) { return d.Register(s.Context(), r, b) }
	}}}
}

func reportsOnly(s *stage) []victim {
	list := []victim{
		{"opening report", func() (fiscal.DocumentRef, func(driver.Device) (fiscal.Document, error)) {
			return s.closed(), func(d driver.Device) (fiscal.Document, error) { return s.shifter(d).OpenShift(s.Context(), cashier) }
		}},
		{"closing report", func() (fiscal.DocumentRef, func(driver.Device) (fiscal.Document, error)) {
			return s.ready(), func(d driver.Device) (fiscal.Document, error) { return s.shifter(d).CloseShift(s.Context(), cashier) }
		}},
	}
	if _, ok := s.dev.(driver.Reporter); ok {
		list = append(list, victim{"settlement report", func() (fiscal.DocumentRef, func(driver.Device) (fiscal.Document, error)) {
			return s.ready(), func(d driver.Device) (fiscal.Document, error) {
				return d.(driver.Reporter).Report(s.Context(), cashier)
			}
		}})
	}
	return list
}

// everyByte does each operation over and over, with the line spoilt one byte later each time, once so that it comes back
// and once so that nobody answers afterwards. After each, what was claimed must agree with the archive.
func (s *stage) everyByte(victims func(*stage) []victim, kinds ...faultKind) {
	for _, v := range victims(s) {
		_, do := v.prepare()
		_, err := do(s.dev) // a driver may learn a quirk of the firmware; from now on the flow is as short as it gets
		require.NoError(s, err, v.name)
		before, do := v.prepare()
		f := s.watch(before, func() error { _, err := do(s.dev); return err })
		cases := 0
		for _, kind := range kinds {
			end, step := f.received, max(s.Stride, 1)
			if kind == cutSent {
				end = f.sent
			}
			if kind == silence {
				step = max(s.SilentStride, 1)
			}
			for at := 0; at < end; at += step {
				for _, gone := range []bool{false, true} {
					if gone && kind == corrupted {
						continue
					}
					s.spoil(v, f, fault{kind: kind, at: at, gone: gone})
					cases++
				}
			}
		}
		s.Logf("%s: %d ways to fail", v.name, cases)
		before, do = v.prepare()
		_, err = do(s.dev)
		require.NoError(s, err, "%s after all that", v.name)
		require.Len(s, s.since(before.Last), 1)
	}
}

// spoil does one operation under one fault.
func (s *stage) spoil(v victim, f learned, fl fault) {
	s.Helper()
	d := s.dev
	patient := fl.kind != silence || s.Impatience == s.Options.Timeouts
	if !patient {
		d = s.hasty()
	}
	before, do := v.prepare()
	s.tap.arm(fl)
	doc, err := do(d)
	s.tap.arm(fault{})
	after := s.ref() // comes after whatever the register still had to do
	what := fmt.Sprintf("%s, %s at %d, gone %t", v.name, fl.kind, fl.at, fl.gone)
	made := s.since(before.Last)
	s.honest(what, made, doc, err)
	s.kindOf(what, fl.kind, err)
	if err == nil {
		return
	}
	e := s.fiscalError(err)
	if beforeCommit := fl.kind == cutSent && fl.at <= f.commitSent || fl.kind != cutSent && fl.at < f.commitReceived; beforeCommit {
		require.Equal(s, fiscal.Nothing, e.Effect, "%s: the commit never left us: %v", what, err)
	}
	if fl.kind == cutSent && fl.at > f.commitSent && fl.at < f.commitSent+f.commitLength {
		require.Equal(s, fiscal.Unknown, e.Effect, "%s: part of the commit left us, and no answer came: %v", what, err)
	}
	if !fl.gone && patient && e.Effect == fiscal.Nothing {
		require.Zero(s, after.Open, "%s: the line came back, and what was begun hangs: %v", what, err)
	}
}

// kindOf checks what kind of error a spoilt line becomes.
func (s *stage) kindOf(what string, kind faultKind, err error) {
	s.Helper()
	if err == nil {
		return
	}
	have := fiscal.KindOf(err)
	switch kind {
	case cutSent, cutReceived, silence, lost, held:
		require.Contains(s, []fiscal.Kind{fiscal.Link, fiscal.Offline}, have, "%s: %v", what, err)
	case corrupted:
		require.Contains(s, []fiscal.Kind{fiscal.Protocol, fiscal.Link}, have, "%s: %v", what, err)
	case noFault:
	}
}

// hasty is a device that waits no longer than Impatience. It is made once.
func (s *stage) hasty() driver.Device {
	if s.impatient == nil {
		s.impatient = s.open(s.Impatience)
	}
	return s.impatient
}

// readsCut: a read that fails says Nothing, and the next one works.
func readsCut(s *stage) {
	for _, name := range []string{"Identify", "Status", "LastDocument", "Document"} {
		do := s.operations(s.dev)[name]
		require.NoError(s, do(s.Context())) // what a driver learns once it does not ask again
		s.tap.arm(fault{})
		require.NoError(s, do(s.Context()))
		f := s.tap.flow()
		for kind, end := range map[faultKind]int{cutSent: f.sent, cutReceived: f.received, corrupted: f.received} {
			for at := 0; at < end; at += max(s.Stride, 3) {
				s.tap.arm(fault{kind: kind, at: at})
				err := do(s.Context())
				what := fmt.Sprintf("%s, %s at %d", name, kind, at)
				if kind != corrupted {
					require.Error(s, err, what)
				}
				if err != nil {
					require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect, "%s: %v", what, err)
					s.kindOf(what, kind, err)
				}
			}
		}
		s.tap.arm(fault{})
		require.NoError(s, do(s.Context()), "%s after all that", name)
	}
}

// longReadCut: what was read of a document when the line went must not pass for the whole of it.
func longReadCut(s *stage) {
	const step = 29 // such a document is long, and its pieces are alike
	s.ready()
	want := s.mustRegister(s.dev, s.many(min(8, s.Limits.Items)))
	s.tap.arm(fault{})
	_, err := s.dev.Document(s.Context(), want.Number)
	require.NoError(s, err)
	f := s.tap.flow()
	for kind, end := range map[faultKind]int{cutSent: f.sent, cutReceived: f.received, corrupted: f.received} {
		for at := 0; at < end; at += max(s.Stride, step) {
			s.tap.arm(fault{kind: kind, at: at})
			doc, err := s.dev.Document(s.Context(), want.Number)
			s.readRight(fmt.Sprintf("%s at %d", kind, at), want, doc, err)
		}
	}
	s.tap.arm(fault{})
	doc, err := s.dev.Document(s.Context(), want.Number)
	require.NoError(s, err)
	require.Equal(s, want, doc)
}

// everyWrite loses or delays each command of a receipt. What was held back arrives when everybody has given it up.
func (s *stage) everyWrite(kind faultKind) {
	s.ready()
	f := s.learn()
	d := s.hasty()
	for n := range f.writes {
		before := s.ready()
		r := s.sale()
		b := s.baseline(&r, before)
		s.tap.arm(fault{kind: kind, at: n})
		doc, err := d.Register(s.Context(), r, b)
		what := fmt.Sprintf("command %d %s", n, kind)
		require.Error(s, err, what)
		late, deliverErr := s.tap.deliver(s.Context(), 50*time.Millisecond)
		require.NoError(s, deliverErr)
		require.Equal(s, kind == held, late, what)
		s.tap.arm(fault{})
		s.ref()
		s.honest(what, s.since(before.Last), doc, err)
		s.kindOf(what, kind, err)
		if n < f.commit {
			require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect, "%s: the commit never left us: %v", what, err)
		}
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// lateAfterCancel: once what was begun is cancelled, a commit that arrives late finds nothing to make. This is what
// settling relies on, and why it cancels before it reads the number.
func lateAfterCancel(s *stage) {
	s.ready()
	f := s.learn()
	before := s.ref()
	r := s.sale()
	d := s.hasty()
	s.tap.arm(fault{kind: held, at: f.commit})
	_, err := d.Register(s.Context(), r, s.baseline(&r, before))
	require.Equal(s, fiscal.Unknown, s.fiscalError(err).Effect, "%v", err)
	require.NoError(s, s.dev.CancelDocument(s.Context()))
	late, err := s.tap.deliver(s.Context(), 50*time.Millisecond)
	require.NoError(s, err)
	require.True(s, late)
	require.Equal(s, before, s.ref())
	s.tap.arm(fault{})
	s.mustRegister(s.dev, s.sale())
}
