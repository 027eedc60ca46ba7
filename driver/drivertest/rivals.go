package drivertest

import (
	"fmt"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

func rivalTests() []test {
	return []test{
		{name: "foreign document before a receipt", makes: true, needs: []hand{canMeddle}, run: foreignBefore},
		{name: "foreign document within a receipt", makes: true, needs: []hand{canMeddle}, run: foreignWithin},
		{name: "foreign document and a refusal", makes: true, needs: []hand{canMeddle, canRefuse}, run: foreignAndRefused},
		{name: "FN replaced before a receipt", makes: true, needs: []hand{canReplace}, run: replacedBefore},
		{name: "FN replaced within a receipt", makes: true, needs: []hand{canReplace}, run: replacedWithin},
		{name: "FN replaced by one with the same number", makes: true, needs: []hand{canReplace, canMeddle}, run: replacedAlike},
		{name: "power lost within a receipt", makes: true, needs: []hand{canPower}, run: powerLost},
	}
}

// ours are the documents that carry the marks of b.
func ours(made []Document, b fiscal.Baseline) []Document {
	var list []Document
	for _, d := range made {
		if d.Kind == fiscal.KindReceipt && b.Marks.Equal(d.Marks) {
			list = append(list, d)
		}
	}
	return list
}

// foreignBefore: somebody else's receipt came after the baseline was written. Ours has another number than the next one,
// so it must not be told as made: for all the driver knows, the answer is of the other receipt.
func foreignBefore(s *stage) {
	before := s.ready()
	r := s.sale()
	b := s.baseline(&r, before)
	s.Foreign()
	doc, err := s.dev.Register(s.Context(), r, b)
	made := s.since(before.Last)
	s.honest("receipt after a foreign one", ours(made, b), doc, err)
	if len(ours(made, b)) > 0 {
		require.Equal(s, fiscal.Unknown, s.fiscalError(err).Effect, "any number but the baseline's next is Unknown: %v", err)
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// foreignWithin: the other host comes between two of our commands and cancels what we began.
func foreignWithin(s *stage) {
	s.ready()
	f := s.learn()
	for n := range f.writes {
		before := s.ready()
		r := s.sale()
		b := s.baseline(&r, before)
		s.tap.arm(fault{})
		s.tap.before(n, s.Foreign)
		doc, err := s.dev.Register(s.Context(), r, b)
		s.tap.arm(fault{})
		made := s.since(before.Last)
		what := fmt.Sprintf("foreign receipt before step %d", n)
		if err == nil {
			require.Equal(s, before.Last+1, doc.Number, "%s: the only number that may be told as made", what)
		}
		s.honest(what, ours(made, b), doc, err)
		if err != nil && n >= f.commit {
			require.Equal(s, fiscal.Unknown, s.fiscalError(err).Effect, "%s: the number moved: %v", what, err)
		}
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// foreignAndRefused: refused, and the number has moved, by whomsoever.
func foreignAndRefused(s *stage) {
	before := s.ready()
	r := s.sale()
	b := s.baseline(&r, before)
	s.Foreign()
	s.Refuse(Refusal{Class: ContentFault, Commit: true})
	doc, err := s.dev.Register(s.Context(), r, b)
	s.honest("refused receipt after a foreign one", ours(s.since(before.Last), b), doc, err)
	require.Equal(s, fiscal.Unknown, s.fiscalError(err).Effect, "a refusal with the number moved proves nothing: %v", err)
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// replacedBefore: the baseline is of an FN that is gone.
func replacedBefore(s *stage) {
	s.ready()
	for range 3 {
		s.mustRegister(s.dev, s.sale())
	}
	before := s.ref()
	r := s.sale()
	b := s.baseline(&r, before)
	s.ReplaceFN()
	doc, err := s.dev.Register(s.Context(), r, b)
	require.Error(s, err, "a receipt on another FN than the baseline's")
	s.honest("receipt on a new FN", ours(s.Archive(), b), doc, err)

	// With a baseline of the new one it is a receipt like any other, of the baseline's FN and not of one remembered.
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

func replacedWithin(s *stage) {
	s.ready()
	f := s.learn()
	for n := range f.writes {
		before := s.ready()
		r := s.sale()
		b := s.baseline(&r, before)
		s.tap.arm(fault{})
		s.tap.before(n, s.ReplaceFN)
		doc, err := s.dev.Register(s.Context(), r, b)
		s.tap.arm(fault{})
		what := fmt.Sprintf("FN replaced before step %d", n)
		require.Error(s, err, what)
		s.honest(what, ours(s.Archive(), b), doc, err)
		if n >= f.commit {
			require.Equal(s, fiscal.Unknown, s.fiscalError(err).Effect, "%s: no number of the old FN can be seen: %v", what, err)
		}
		_, err = s.dev.Identify(s.Context())
		require.NoError(s, err)
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}

// replacedAlike: a number proves something of one FN only. The new one stands where the old one stood.
func replacedAlike(s *stage) {
	s.ready()
	f := s.learn()
	before := s.ready()
	r := s.sale()
	b := s.baseline(&r, before)
	var after fiscal.DocumentRef
	s.tap.arm(fault{})
	s.tap.before(f.commit, func() {
		s.ReplaceFN()
		for after = s.ref(); after.Last < before.Last; after = s.ref() {
			s.Foreign()
		}
	})
	doc, err := s.dev.Register(s.Context(), r, b)
	s.tap.arm(fault{})
	require.NotEqual(s, before.FN, after.FN)
	require.Equal(s, before.Last, after.Last, "the bench must bring the new FN to the number of the old one")
	s.honest("receipt on an FN with the same number", ours(s.Archive(), b), doc, err)
	require.Equal(s, fiscal.Unknown, s.fiscalError(err).Effect, "the old FN was not seen: %v", err)
}

// powerLost: the register goes off between two commands and loses what was begun.
func powerLost(s *stage) {
	s.ready()
	f := s.learn()
	for n := range f.writes {
		before := s.ready()
		r := s.sale()
		b := s.baseline(&r, before)
		s.tap.arm(fault{})
		s.tap.before(n, func() { s.Power(false) })
		doc, err := s.dev.Register(s.Context(), r, b)
		s.tap.arm(fault{})
		what := fmt.Sprintf("power lost before step %d", n)
		s.Power(true)
		s.eventually(func() error { _, err := s.clean.LastDocument(s.Context()); return err })
		s.honest(what, s.since(before.Last), doc, err)
		if n <= f.commit {
			require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect, "%s: the commit never left us: %v", what, err)
		}
	}
	s.ready()
	s.mustRegister(s.dev, s.sale())
}
