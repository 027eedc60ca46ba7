package drivertest

import (
	"context"
	"errors"
	"math"
	"reflect"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

func readTests() []test {
	return []test{
		{name: "identity", run: identity},
		{name: "status", run: status},
		{name: "status of a shift", makes: true, run: statusOfShift},
		{name: "temperature", run: temperature},
		{name: "reads change nothing", run: func(s *stage) { s.readsChangeNothing("as found") }},
		{name: "reads change nothing in an open shift", makes: true, run: func(s *stage) {
			s.ready()
			s.readsChangeNothing("open shift")
			s.mustRegister(s.dev, s.sale())
			s.readsChangeNothing("after a receipt")
		}},
		{name: "reads change nothing with a document left open", makes: true, needs: []hand{canHang}, run: func(s *stage) {
			s.ready()
			s.Hang()
			require.NotZero(s, s.readsChangeNothing("receipt begun").Open)
			s.closed()
			s.Hang()
			require.NotZero(s, s.readsChangeNothing("shift report begun").Open)
		}},
		{name: "reads change nothing in an expired shift", makes: true, needs: []hand{canAge}, run: func(s *stage) {
			s.ready()
			s.Advance(25 * time.Hour)
			s.readsChangeNothing("shift of 25 h")
		}},
		{name: "document", makes: true, run: documents},
		{name: "document that is not there", run: noDocument},
		{name: "document longer than an answer", makes: true, run: longDocument},
		{name: "document whose content is gone", makes: true, needs: []hand{canAge}, run: contentGone},
		{name: "reads of an FN that was replaced", needs: []hand{canReplace}, makes: true, run: replacedReads},
		{name: "reads without power", needs: []hand{canPower}, run: powerless},
	}
}

// agrees compares the members of want that are set.
func (s *stage) agrees(want, have fiscal.Identity) {
	s.Helper()
	w, h := reflect.ValueOf(want), reflect.ValueOf(have)
	for i := range w.NumField() {
		if !w.Field(i).IsZero() {
			require.Equal(s, w.Field(i).Interface(), h.Field(i).Interface(), "%s", w.Type().Field(i).Name)
		}
	}
}

func identity(s *stage) {
	id, err := s.dev.Identify(s.Context())
	require.NoError(s, err)
	s.agrees(s.Identity, id)
	require.NotEmpty(s, id.Family)
	require.NotEmpty(s, id.Serial)
	require.Len(s, id.FN, 16)
	require.True(s, id.INN.Valid(), "INN %q", id.INN)
	require.NotEmpty(s, id.RNM)
	require.NotZero(s, id.FFD)
	require.NotZero(s, id.TaxSystems)
	require.NotZero(s, id.VATs)
	require.False(s, id.FNExpires.IsZero())
	again, err := s.dev.Identify(s.Context())
	require.NoError(s, err)
	require.Equal(s, id, again, "who a register is does not change between two questions")
}

func status(s *stage) {
	before := s.Now()
	st, err := s.dev.Status(s.Context())
	require.NoError(s, err)
	require.WithinRange(s, st.ReadAt, before, s.Now())
	require.True(s, st.FNPresent)
	require.False(s, st.Critical)
	require.Equal(s, fiscal.PhaseFiscal, st.Phase)
	require.Equal(s, s.ref(), st.Document, "the status and the last document agree")
	all := s.Archive()
	require.NotEmpty(s, all)
	last := all[len(all)-1]
	require.Equal(s, last.Number, st.Document.Last)
	require.Equal(s, last.Time, st.LastTime)
	require.Equal(s, s.id.FN, st.Document.FN)
	require.Equal(s, st.Document.ShiftOpen, st.Shift.Open)
	if s.Clock != nil {
		require.LessOrEqual(s, s.Clock().Sub(st.Clock).Abs(), time.Minute)
	}
}

func statusOfShift(s *stage) {
	at := func() fiscal.Status {
		s.Helper()
		st, err := s.dev.Status(s.Context())
		require.NoError(s, err)
		return st
	}
	s.closed()
	require.False(s, at().Shift.Open)
	require.True(s, at().Shift.OpenedAt.IsZero())

	ref := s.ready()
	opening := s.since(ref.Last - 1)[0]
	for n := range uint32(3) {
		st := at()
		require.True(s, st.Shift.Open)
		require.Equal(s, opening.Shift, st.Shift.Number)
		require.Equal(s, n, st.Shift.Receipt)
		require.Equal(s, opening.Time, st.Shift.OpenedAt)
		s.mustRegister(s.dev, s.sale())
	}
	// A device that was not there when the shift was opened finds the time all the same, past receipts and reports.
	if r, ok := s.clean.(driver.Reporter); ok {
		_, err := r.Report(s.Context(), cashier)
		require.NoError(s, err)
	}
	s.dev = s.open(s.Options.Timeouts)
	require.Equal(s, opening.Time, at().Shift.OpenedAt)
	require.Equal(s, s.ref(), at().Document)

	s.closed()
	s.ready()
	require.Equal(s, opening.Shift+1, at().Shift.Number, "the next shift is not taken for the last one")
}

func temperature(s *stage) {
	if s.Limits.Temperature == nil {
		s.Skip("this bench tells no temperature")
	}
	st, err := s.dev.Status(s.Context())
	require.NoError(s, err)
	want, ok := s.Limits.Temperature()
	if !ok {
		require.Nil(s, st.Temperature)
		return
	}
	require.NotNil(s, st.Temperature)
	require.Equal(s, want, *st.Temperature)
}

// readsChangeNothing does every read on a register and compares it before and after.
func (s *stage) readsChangeNothing(state string) fiscal.DocumentRef {
	s.Helper()
	archive, ref := s.Archive(), s.ref()
	for _, d := range []driver.Device{s.dev, s.open(s.Options.Timeouts)} { // one that knows the register and one that does not
		_, err := d.Identify(s.Context())
		require.NoError(s, err, state)
		_, err = d.Status(s.Context())
		require.NoError(s, err, state)
		last, err := d.LastDocument(s.Context())
		require.NoError(s, err, state)
		require.Equal(s, ref, last, state)
		_, err = d.Document(s.Context(), ref.Last)
		require.NoError(s, err, state)
		_, err = d.Document(s.Context(), ref.Last+1)
		require.ErrorIs(s, err, fiscal.ErrNoDocument, state)
	}
	require.Equal(s, archive, s.Archive(), state)
	require.Equal(s, ref, s.ref(), state)
	return ref
}

func documents(s *stage) {
	s.closed()
	s.ready()
	for _, r := range []fiscal.Receipt{s.sale(), s.many(min(3, s.Limits.Items))} {
		for _, op := range []fiscal.Operation{fiscal.Sell, fiscal.SellRefund} {
			r.Operation = op
			s.mustRegister(s.clean, r)
		}
	}
	if r, ok := s.clean.(driver.Reporter); ok {
		_, err := r.Report(s.Context(), cashier)
		require.NoError(s, err)
	}
	s.closed()
	for _, want := range s.Archive() {
		doc, err := s.dev.Document(s.Context(), want.Number)
		require.NoError(s, err, "document %d", want.Number)
		s.same(want, doc)
	}
}

func noDocument(s *stage) {
	last := s.ref().Last
	for _, n := range []fiscal.DocNumber{0, last + 1, last + 1000, math.MaxUint32} {
		_, err := s.dev.Document(s.Context(), n)
		require.ErrorIs(s, err, fiscal.ErrNoDocument, "document %d", n)
		require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
	}
}

func longDocument(s *stage) {
	s.ready()
	for _, r := range []fiscal.Receipt{s.many(8), s.many(s.Limits.Items)} {
		made := s.mustRegister(s.dev, r)
		doc, err := s.dev.Document(s.Context(), made.Number)
		require.NoError(s, err)
		require.Equal(s, made, doc, "marks and all")
	}
}

func contentGone(s *stage) {
	if s.Limits.Content == 0 {
		s.Skip("nobody knows how long this archive keeps the content")
	}
	s.ready()
	made := s.mustRegister(s.dev, s.sale())
	s.Advance(s.Limits.Content + time.Hour)
	doc, err := s.dev.Document(s.Context(), made.Number)
	require.NoError(s, err)
	require.False(s, doc.Full, "an absent mark must not look truly absent")
	require.Equal(s, fiscal.Marks{}, doc.Marks)
	require.Equal(s, made.Number, doc.Number)
	require.Equal(s, made.Sign, doc.Sign)
	require.Equal(s, made.Time, doc.Time)
	require.Equal(s, made.Total, doc.Total)
	require.Equal(s, made.Operation, doc.Operation)
}

func replacedReads(s *stage) {
	s.ready()
	old := s.mustRegister(s.dev, s.sale())
	_, err := s.dev.Status(s.Context())
	require.NoError(s, err)
	s.ReplaceFN()
	if s.Advance != nil {
		s.Advance(10 * time.Minute)
	}
	last, err := s.dev.LastDocument(s.Context())
	require.NoError(s, err)
	require.NotEqual(s, old.FN, last.FN, "the FN in place is told, not the one remembered")
	id, err := s.dev.Identify(s.Context())
	require.NoError(s, err)
	require.Equal(s, last.FN, id.FN)
	require.Less(s, last.Last, old.Number)
	_, err = s.dev.Document(s.Context(), old.Number)
	require.ErrorIs(s, err, fiscal.ErrNoDocument)
	st, err := s.dev.Status(s.Context())
	require.NoError(s, err)
	require.Equal(s, last, st.Document)

	// Its first shift has the number of the old one's first, and another time.
	opening := s.since(s.ready().Last - 1)[0]
	require.Equal(s, fiscal.KindShiftOpen, opening.Kind)
	st, err = s.dev.Status(s.Context())
	require.NoError(s, err)
	require.Equal(s, opening.Shift, st.Shift.Number)
	require.Equal(s, opening.Time, st.Shift.OpenedAt)
}

func powerless(s *stage) {
	s.Power(false)
	for name, do := range s.operations(s.dev) {
		e := s.fiscalError(do(s.Context()))
		require.Equal(s, fiscal.Offline, e.Kind, name)
		require.Equal(s, fiscal.Nothing, e.Effect, name)
	}
	s.Power(true)
	s.eventually(func() error { _, err := s.dev.LastDocument(s.Context()); return err })
	_, err := s.dev.Status(s.Context())
	require.NoError(s, err, "the device works again with the register")
}

// eventually waits until a register that is coming back answers. It gives up after as long as a commit may take.
func (s *stage) eventually(f func() error) {
	s.Helper()
	end := s.Now().Add(s.Options.Timeouts.Connect + s.Options.Timeouts.Commit)
	for {
		err := f()
		if err == nil {
			return
		}
		require.True(s, s.Now().Before(end), "%v", err)
		ctx, cancel := context.WithTimeout(s.Context(), 5*time.Millisecond)
		<-ctx.Done()
		cancel()
	}
}

// operations are all calls of a device, each made once.
func (s *stage) operations(d driver.Device) map[string]func(context.Context) error {
	r := s.sale()
	b := fiscal.Baseline{FN: s.id.FN, Serial: s.id.Serial, LastFD: 1 << 20, Marks: fiscal.Marks{CheckProps: "0123456789ABCDEF"}}
	all := map[string]func(context.Context) error{
		"Identify":     func(ctx context.Context) error { _, err := d.Identify(ctx); return err },
		"Status":       func(ctx context.Context) error { _, err := d.Status(ctx); return err },
		"LastDocument": func(ctx context.Context) error { _, err := d.LastDocument(ctx); return err },
		"Document":     func(ctx context.Context) error { _, err := d.Document(ctx, 1); return err },
	}
	if s.ReadOnly {
		return all
	}
	all["CancelDocument"] = d.CancelDocument
	all["Register"] = func(ctx context.Context) error { _, err := d.Register(ctx, r, b); return err }
	if sh, ok := d.(driver.Shifter); ok {
		all["OpenShift"] = func(ctx context.Context) error { _, err := sh.OpenShift(ctx, cashier); return err }
		all["CloseShift"] = func(ctx context.Context) error { _, err := sh.CloseShift(ctx, cashier); return err }
	}
	if re, ok := d.(driver.Reporter); ok {
		all["Report"] = func(ctx context.Context) error { _, err := re.Report(ctx, cashier); return err }
	}
	if c, ok := d.(driver.Clocked); ok {
		all["SetClock"] = func(ctx context.Context) error { return c.SetClock(ctx, fiscal.DeviceTimeAt(s.Now(), time.UTC)) }
	}
	return all
}

var errTest = errors.New("the caller gave up")
