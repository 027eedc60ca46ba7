package drivertest

import (
	"context"
	"errors"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

func shiftTests() []test {
	return []test{
		{name: "shift", makes: true, run: shiftRound},
		{name: "shift without a cashier", makes: true, run: anonymousShift},
		{name: "shift in the wrong state", makes: true, run: wrongShift},
		{name: "shift refused", makes: true, needs: []hand{canRefuse}, run: refusedShift},
		{name: "shift expired", makes: true, needs: []hand{canAge}, run: expiredShift},
		{name: "shift expires under a receipt", makes: true, needs: []hand{canAge}, run: expiresMeanwhile},
		{name: "settlement report", makes: true, run: settlement},
		{name: "clock", makes: true, run: clock},
	}
}

func shiftRound(s *stage) {
	sh := s.shifter(s.dev)
	before := s.closed()
	for range 2 {
		opened, err := sh.OpenShift(s.Context(), cashier)
		require.NoError(s, err)
		made := s.since(before.Last)
		require.Len(s, made, 1)
		require.Equal(s, fiscal.KindShiftOpen, opened.Kind)
		s.same(made[0], opened)
		require.True(s, s.ref().ShiftOpen)

		s.mustRegister(s.dev, s.sale())

		before = s.ref()
		shut, err := sh.CloseShift(s.Context(), cashier)
		require.NoError(s, err)
		made = s.since(before.Last)
		require.Len(s, made, 1)
		require.Equal(s, fiscal.KindShiftClose, shut.Kind)
		s.same(made[0], shut)
		require.Equal(s, opened.Shift, shut.Shift)
		before = s.ref()
		require.False(s, before.ShiftOpen)
	}
}

// anonymousShift: a register that wants a cashier says so and makes nothing; an automatic one opens its shift.
func anonymousShift(s *stage) {
	before := s.closed()
	doc, err := s.shifter(s.dev).OpenShift(s.Context(), fiscal.Cashier{})
	s.honest("open a shift", s.since(before.Last), doc, err)
	if s.id.Automatic() {
		require.NoError(s, err)
		return
	}
	if err != nil {
		require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
		require.Zero(s, s.ref().Open, "what was begun hangs")
	}
}

func wrongShift(s *stage) {
	sh := s.shifter(s.dev)
	before := s.ready()
	_, err := sh.OpenShift(s.Context(), cashier)
	require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
	require.Equal(s, before, s.ref(), "an open shift was opened")

	before = s.closed()
	_, err = sh.CloseShift(s.Context(), cashier)
	require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
	require.Equal(s, before, s.ref(), "a closed shift was closed")

	_, err = s.register(s.dev, s.sale())
	require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
	require.Equal(s, before, s.ref(), "a receipt in a closed shift")
}

// reports are the documents that are no receipts: how to get ready for one and how to make it.
func (s *stage) reports() map[string]func() (before fiscal.DocumentRef, make func(context.Context) (fiscal.Document, error)) {
	type maker = func(context.Context) (fiscal.Document, error)
	sh := s.shifter(s.dev)
	all := map[string]func() (fiscal.DocumentRef, maker){
		"OpenShift": func() (fiscal.DocumentRef, maker) {
			return s.closed(), func(ctx context.Context) (fiscal.Document, error) { return sh.OpenShift(ctx, cashier) }
		},
		"CloseShift": func() (fiscal.DocumentRef, maker) {
			return s.ready(), func(ctx context.Context) (fiscal.Document, error) { return sh.CloseShift(ctx, cashier) }
		},
	}
	if re, ok := s.dev.(driver.Reporter); ok {
		all["Report"] = func() (fiscal.DocumentRef, maker) {
			return s.ready(), func(ctx context.Context) (fiscal.Document, error) { return re.Report(ctx, cashier) }
		}
	}
	return all
}

func refusedShift(s *stage) {
	for what, prepare := range s.reports() {
		for _, class := range []Class{ContentFault, DeviceFault, StorageFault} {
			for _, executed := range []bool{false, true} {
				before, do := prepare()
				s.Refuse(Refusal{Class: class, Commit: true, Executed: executed})
				doc, err := do(s.Context())
				made := s.since(before.Last)
				s.honest(what, made, doc, err)
				e := s.fiscalError(err)
				require.Equal(s, class.kind(), e.Kind, "%s refused for its %s: %v", what, class, err)
				require.Equal(s, executed, len(made) == 1)
				if !executed {
					require.Equal(s, fiscal.Nothing, e.Effect, "%s refused for its %s, number unmoved: %v", what, class, err)
				}
				require.Zero(s, s.ref().Open, "%s: what was begun hangs", what)
			}
		}
		_, do := prepare()
		_, err := do(s.Context())
		require.NoError(s, err, "%s after its refusals", what)
	}
}

func expiredShift(s *stage) {
	before := s.ready()
	s.Advance(25 * time.Hour)
	_, err := s.register(s.dev, s.sale())
	require.ErrorIs(s, err, fiscal.ErrShiftExpired)
	require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
	require.Equal(s, before, s.ref())

	sh := s.shifter(s.dev)
	_, err = sh.CloseShift(s.Context(), cashier)
	require.NoError(s, err, "an expired shift can still be closed")
	_, err = sh.OpenShift(s.Context(), cashier)
	require.NoError(s, err)
	s.mustRegister(s.dev, s.sale())
}

// expiresMeanwhile: the day ends between the first command of a receipt and the one that makes it.
func expiresMeanwhile(s *stage) {
	before := s.ready()
	f := s.learn()
	s.Advance(24*time.Hour - time.Minute)
	r := s.sale()
	b := s.baseline(&r, s.ref())
	s.tap.arm(fault{})
	s.tap.before(f.commit, func() { s.Advance(10 * time.Minute) })
	doc, err := s.dev.Register(s.Context(), r, b)
	s.honest("receipt", s.since(b.LastFD), doc, err)
	require.ErrorIs(s, err, fiscal.ErrShiftExpired)
	require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
	after := s.ref()
	require.Equal(s, before.Last+1, after.Last, "only the receipt that was made to learn the flow")
	require.Zero(s, after.Open)
}

func settlement(s *stage) {
	re, ok := s.dev.(driver.Reporter)
	if !ok {
		s.Skip("this family makes no settlement report")
	}
	for _, state := range []func() fiscal.DocumentRef{s.closed, s.ready} {
		before := state()
		doc, err := re.Report(s.Context(), cashier)
		require.NoError(s, err)
		made := s.since(before.Last)
		require.Len(s, made, 1)
		require.Equal(s, fiscal.KindSettlement, doc.Kind)
		s.same(made[0], doc)
		require.Equal(s, before.ShiftOpen, s.ref().ShiftOpen, "a report changes no shift")
	}
}

func clock(s *stage) {
	c, ok := s.dev.(driver.Clocked)
	if !ok || s.Clock == nil {
		s.Skip("this family sets no clock, or this bench shows none")
	}
	s.closed()
	now := s.Clock()
	for _, off := range []time.Duration{7 * time.Minute, 0} {
		want := fiscal.DeviceTimeAt(now.In(time.UTC).Add(off), time.UTC)
		err := c.SetClock(s.Context(), want)
		require.NoError(s, err)
		require.LessOrEqual(s, s.Clock().Sub(want).Abs(), time.Minute)
	}
	before := s.ref()
	year, month, day, hour, minute := now.Fields()
	past, _ := fiscal.NewDeviceTime(year-1, month, day, hour, minute)
	if err := c.SetClock(s.Context(), past); err != nil { // before the last document
		require.Equal(s, fiscal.Nothing, s.fiscalError(err).Effect)
		require.False(s, errors.Is(err, fiscal.ErrNoDocument))
	}
	require.Equal(s, before, s.ref())
}
