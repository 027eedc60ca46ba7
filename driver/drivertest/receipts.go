package drivertest

import (
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

func receiptTests() []test {
	return []test{
		{name: "receipt and its marks", makes: true, run: marks},
		{name: "receipts in a row", makes: true, run: row},
		{name: "receipt that cannot be put into words", makes: true, run: unspeakable},
		{name: "receipt before the register was identified", makes: true, run: unidentified},
		{name: "receipt without a place for a register without one", makes: true, run: placeless},
	}
}

func contentTests() []test {
	return []test{{name: "contents", makes: true, run: everyContent}}
}

// everyContent makes every kind of receipt and compares what the archive holds with what was asked for.
func everyContent(s *stage) {
	s.ready()
	all := s.contents()
	for _, name := range slices.Sorted(maps.Keys(all)) {
		r := all[name]
		require.Empty(s, fiscal.Check(&r), "%s: the suite's own receipt is wrong", name)
		before := s.ref()
		b := s.baseline(&r, before)
		doc, err := s.dev.Register(s.Context(), r, b)
		require.NoError(s, err, name)
		made := s.since(before.Last)
		require.Len(s, made, 1, name)
		s.Logf("%s: document %d", name, doc.Number)
		s.same(made[0], doc)
		s.content(made[0], r, b.Marks)
	}
}

// marks: the stamp in 1192, in 1084, and none at all.
func marks(s *stage) {
	s.ready()
	own := &fiscal.UserProps{Name: "заказ", Value: "17"}
	for _, tc := range []struct {
		name  string
		r     func(*fiscal.Receipt)
		stamp func(id string) (fiscal.Stamp, fiscal.Marks)
	}{
		{"stamp in 1192", func(*fiscal.Receipt) {}, func(id string) (fiscal.Stamp, fiscal.Marks) {
			return fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: id}, fiscal.Marks{CheckProps: id}
		}},
		{"stamp in 1084", func(r *fiscal.Receipt) { r.CheckProps = "client" }, func(id string) (fiscal.Stamp, fiscal.Marks) {
			return fiscal.Stamp{Tag: fiscal.StampUserProps, Value: id},
				fiscal.Marks{CheckProps: "client", UserProps: &fiscal.UserProps{Name: fiscal.StampName, Value: id}}
		}},
		{"stamp in 1192 beside the client's 1084", func(r *fiscal.Receipt) { r.UserProps = own }, func(id string) (fiscal.Stamp, fiscal.Marks) {
			return fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: id}, fiscal.Marks{CheckProps: id, UserProps: own}
		}},
		{"no stamp", func(r *fiscal.Receipt) { r.CheckProps, r.UserProps = "client", own }, func(string) (fiscal.Stamp, fiscal.Marks) {
			return fiscal.Stamp{Tag: fiscal.StampNone}, fiscal.Marks{CheckProps: "client", UserProps: own}
		}},
		{"no mark at all", func(*fiscal.Receipt) {}, func(string) (fiscal.Stamp, fiscal.Marks) {
			return fiscal.Stamp{Tag: fiscal.StampNone}, fiscal.Marks{}
		}},
	} {
		for _, op := range []fiscal.Operation{fiscal.Sell, fiscal.SellRefund, fiscal.Buy, fiscal.BuyRefund} {
			r := s.sale()
			r.Operation = op
			tc.r(&r)
			ref := s.ref()
			b := s.baseline(&r, ref)
			b.Stamp, b.Marks = tc.stamp(string(s.job()))
			doc, err := s.dev.Register(s.Context(), r, b)
			require.NoError(s, err, tc.name)
			made := s.since(ref.Last)
			require.Len(s, made, 1, tc.name)
			s.same(made[0], doc)
			require.True(s, b.Marks.Equal(made[0].Marks), "%s, %s: want %+v, have %+v", tc.name, op, b.Marks, made[0].Marks)
			read, err := s.dev.Document(s.Context(), doc.Number)
			require.NoError(s, err, tc.name)
			require.Equal(s, doc, read, "%s: what was told and what is read back", tc.name)
		}
	}
}

// row: numbers ascend by one and the receipt number begins anew with each shift.
func row(s *stage) {
	s.closed()
	for range 2 {
		last := s.ready().Last
		for n := uint32(1); n <= 5; n++ {
			doc := s.mustRegister(s.dev, s.sale())
			last++
			require.Equal(s, last, doc.Number)
			require.Equal(s, n, doc.Receipt)
		}
		s.closed()
	}
}

func unspeakable(s *stage) {
	before := s.ready()
	s.tap.arm(fault{})
	for name, r := range map[string]fiscal.Receipt{
		"name": s.one(func(it *fiscal.Item) { it.Name = "Чай за 5 €" }),
		"contact": func() fiscal.Receipt {
			r := s.sale()
			r.Customer.Contact = "покупатель😀@example.com"
			return r
		}(),
		"too long for a frame":  s.one(func(it *fiscal.Item) { it.Name = strings.Repeat("Я", 2_000) }),
		"too long for a length": s.one(func(it *fiscal.Item) { it.Name = strings.Repeat("Я", 70_000) }),
	} {
		b := s.baseline(&r, before)
		_, err := s.dev.Register(s.Context(), r, b)
		e := s.fiscalError(err)
		require.Equal(s, fiscal.Invalid, e.Kind, "%s: %v", name, err)
		require.Equal(s, fiscal.Nothing, e.Effect, "%s: %v", name, err)
	}
	require.Equal(s, before, s.ref())
	require.Zero(s, s.tap.flow().sent, "something of a receipt that cannot be said was sent")
	s.mustRegister(s.dev, s.sale())
}

// placeless: the register wants the place of settlement with each receipt. That is about this register, so another one may
// take a receipt without.
func placeless(s *stage) {
	if !s.Limits.NeedsPlace {
		s.Skip("this register was registered with its place of settlement")
	}
	before := s.ready()
	r := s.sale()
	r.Address, r.Place, r.DeviceNumber = "", "", ""
	_, err := s.register(s.dev, r)
	e := s.fiscalError(err)
	require.Equal(s, fiscal.Attention, e.Kind, "%v", err)
	require.Equal(s, fiscal.Nothing, e.Effect, "%v", err)
	require.Equal(s, before, s.ref())
	s.mustRegister(s.dev, s.sale())
}

func unidentified(s *stage) {
	ref := s.ready()
	d, err := s.Open(s.Context(), s.tap, s.Options)
	require.NoError(s, err)
	r := s.sale()
	doc, err := d.Register(s.Context(), r, s.baseline(&r, ref))
	s.honest("a receipt on a device that knows nothing", s.since(ref.Last), doc, err)
	require.Zero(s, s.ref().Open)
	require.NoError(s, d.Close())
}
