package drivertest

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/driver"
	"frpoold/fiscal"
)

// Bubble runs a test where time is faked; testing/synctest.Test is one.
type Bubble func(t *testing.T, f func(t *testing.T))

// Run runs the suite. bench is called in each test, which has the bench to itself.
func Run(t *testing.T, bench func(t *testing.T) Bench) {
	run(t, true, func(t *testing.T, f func(t *testing.T)) { f(t) }, bench)
}

// RunIn runs the suite with each test in a bubble, in which bench is called too.
func RunIn(t *testing.T, in Bubble, bench func(t *testing.T) Bench) { run(t, true, in, bench) }

// RunAlone runs the suite one test after another, on a bench that there is only one of.
func RunAlone(t *testing.T, bench func(t *testing.T) Bench) {
	run(t, false, func(t *testing.T, f func(t *testing.T)) { f(t) }, bench)
}

func run(t *testing.T, parallel bool, in Bubble, bench func(t *testing.T) Bench) {
	for _, tc := range cases() {
		t.Run(tc.name, func(t *testing.T) {
			if parallel {
				t.Parallel()
			}
			in(t, func(t *testing.T) {
				b := bench(t)
				if tc.makes && b.ReadOnly {
					t.Skip("this bench is for reading only")
				}
				for _, hand := range tc.needs {
					if !hand.has(&b) {
						t.Skipf("this bench cannot %s", hand.name)
					}
				}
				tc.run(newStage(t, b))
			})
		})
	}
}

// test is one test of the suite.
type test struct {
	name  string
	makes bool // it makes or cancels documents
	needs []hand
	run   func(s *stage)
}

// hand is something a bench may be able to do.
type hand struct {
	name string
	has  func(*Bench) bool
}

var (
	canRefuse  = hand{"make the register refuse", func(b *Bench) bool { return b.Refuse != nil }}
	canHang    = hand{"leave a document open", func(b *Bench) bool { return b.Hang != nil }}
	canMeddle  = hand{"let another host make a receipt", func(b *Bench) bool { return b.Foreign != nil }}
	canReplace = hand{"replace the FN", func(b *Bench) bool { return b.ReplaceFN != nil }}
	canAge     = hand{"move the register's clock", func(b *Bench) bool { return b.Advance != nil && b.Clock != nil }}
	canPower   = hand{"switch the power", func(b *Bench) bool { return b.Power != nil }}
)

func cases() []test {
	var all []test
	for _, part := range [][]test{readTests(), shiftTests(), receiptTests(), contentTests(), refusalTests(), rivalTests(), lineTests(), timeTests(), traceTests()} {
		all = append(all, part...)
	}
	return all
}

// stage is a bench with a device on it that reaches its register through a tap, and a second, untapped one for looking
// at what happened.
type stage struct {
	*testing.T
	Bench
	tap   *tap
	dev   driver.Device
	clean driver.Device
	id    fiscal.Identity
	trace []fiscal.Exchange // of dev
	jobs  int

	impatient driver.Device // made by hasty
}

func newStage(t *testing.T, b Bench) *stage {
	s := &stage{T: t, Bench: b, tap: &tap{to: b.Dialer, now: b.Now}}
	s.Cleanup(func() { require.Zero(s, s.tap.lines(), "lines left open by closed devices") })
	s.clean = s.straight()
	s.dev = s.open(b.Options.Timeouts)
	id, err := s.clean.Identify(t.Context())
	require.NoError(t, err, "identifying on the bench")
	s.id = id
	return s
}

// straight opens a device straight on the register.
func (s *stage) straight() driver.Device {
	d, err := s.Open(context.Background(), s.Dialer, s.Options)
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, d.Close()) })
	return d
}

// open makes a device behind the tap, identified, as a worker has it before the first job.
func (s *stage) open(times driver.Timeouts) driver.Device {
	o := s.Options
	o.Timeouts = times
	o.Trace = func(e fiscal.Exchange) { s.trace = append(s.trace, e) }
	d, err := s.Open(context.Background(), s.tap, o)
	require.NoError(s, err)
	s.Cleanup(func() { require.NoError(s, d.Close()) })
	_, err = d.Identify(s.Context())
	require.NoError(s, err)
	return d
}

// shifter is the device under test as a driver.Shifter.
func (s *stage) shifter(d driver.Device) driver.Shifter {
	sh, ok := d.(driver.Shifter)
	if !ok {
		s.Skip("this family opens no shifts")
	}
	return sh
}

var cashier = fiscal.Cashier{Name: "Иванова И. И.", INN: "500100732259"}

// ref reads where the FN stands, past the tap. It also waits: a register serves one line after another.
func (s *stage) ref() fiscal.DocumentRef {
	s.Helper()
	r, err := s.clean.LastDocument(s.Context())
	require.NoError(s, err)
	return r
}

// ready brings the register to where a receipt can begin: nothing hangs and a shift is open.
func (s *stage) ready() fiscal.DocumentRef {
	s.Helper()
	r := s.ref()
	if r.Open != 0 {
		require.NoError(s, s.clean.CancelDocument(s.Context()))
	}
	if !r.ShiftOpen {
		_, err := s.shifter(s.clean).OpenShift(s.Context(), cashier)
		require.NoError(s, err)
	}
	return s.ref()
}

// closed brings the register to where a shift can be opened.
func (s *stage) closed() fiscal.DocumentRef {
	s.Helper()
	r := s.ref()
	if r.Open != 0 {
		require.NoError(s, s.clean.CancelDocument(s.Context()))
	}
	if r.ShiftOpen {
		_, err := s.shifter(s.clean).CloseShift(s.Context(), cashier)
		require.NoError(s, err)
	}
	return s.ref()
}

// baseline is what a worker writes down before a receipt.
func (s *stage) baseline(r *fiscal.Receipt, ref fiscal.DocumentRef) fiscal.Baseline {
	s.jobs++
	stamp := fiscal.ChooseStamp(s.job(), r, s.id.FFD)
	return fiscal.Baseline{FN: ref.FN, Serial: s.id.Serial, LastFD: ref.Last, Stamp: stamp, Marks: fiscal.MarksOf(r, stamp)}
}

// job is the id of the job in hand: 16 characters, as the stamp wants them.
func (s *stage) job() fiscal.JobID {
	const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	id := []byte("01DRVTEST0000000")
	for i, n := len(id)-1, s.jobs; n > 0; i, n = i-1, n/len(digits) {
		id[i] = digits[n%len(digits)]
	}
	return fiscal.JobID(id)
}

// register makes a receipt the way a worker does and returns what it did to the archive.
func (s *stage) register(d driver.Device, r fiscal.Receipt) (fiscal.Document, error) {
	return d.Register(s.Context(), r, s.baseline(&r, s.ref()))
}

// mustRegister makes a receipt that has to succeed and be what the archive holds.
func (s *stage) mustRegister(d driver.Device, r fiscal.Receipt) fiscal.Document {
	s.Helper()
	before := s.ref()
	b := s.baseline(&r, before)
	doc, err := d.Register(s.Context(), r, b)
	require.NoError(s, err)
	made := s.since(before.Last)
	require.Len(s, made, 1, "one receipt, one document")
	s.same(made[0], doc)
	s.content(made[0], r, b.Marks)
	return doc
}

// since are the documents made after number n on the FN in place.
func (s *stage) since(n fiscal.DocNumber) []Document {
	all := s.Archive()
	for i, d := range all {
		if d.Number > n {
			return all[i:]
		}
	}
	return nil
}

// same checks that a document as the driver tells it is the one in the archive.
func (s *stage) same(archived Document, told fiscal.Document) {
	s.Helper()
	want := archived.Document
	want.Full = true
	require.Equal(s, want, told)
}

// content checks that everything the client sent is on the document.
func (s *stage) content(made Document, r fiscal.Receipt, marks fiscal.Marks) {
	s.Helper()
	require.Equal(s, fiscal.KindReceipt, made.Kind)
	require.Equal(s, r.Operation, made.Operation)
	require.Equal(s, r.Total(), made.Total)
	require.True(s, marks.Equal(made.Marks), "marks: want %+v, have %+v", marks, made.Marks)
	if made.Content == nil || s.Expect == nil {
		return
	}
	r.CheckProps, r.UserProps = marks.CheckProps, marks.UserProps
	require.Equal(s, s.Expect(r), *made.Content)
}

// fiscalError checks the form of an error and returns it.
func (s *stage) fiscalError(err error) *fiscal.Error {
	s.Helper()
	require.Error(s, err)
	var e *fiscal.Error
	require.ErrorAs(s, err, &e, "every error of a device is a *fiscal.Error")
	require.NotEmpty(s, e.Op, "%v", err)
	require.NotEmpty(s, e.Error())
	require.True(s, e.Kind > fiscal.Other || errors.Is(err, fiscal.ErrNoDocument), "kind %s of %v", e.Kind, err)
	return e
}

// honest is the heart of the suite: what an operation claims against what the archive shows. made are the documents of
// this operation alone.
func (s *stage) honest(what string, made []Document, doc fiscal.Document, err error) {
	s.Helper()
	require.LessOrEqual(s, len(made), 1, "%s: more than one document", what)
	if err == nil {
		require.Len(s, made, 1, "%s: success without a document", what)
		want := made[0].Document
		want.Full = true
		require.Equal(s, want, doc, "%s: what was told and what was made", what)
		return
	}
	switch e := s.fiscalError(err); e.Effect {
	case fiscal.Nothing:
		require.Empty(s, made, "%s: Nothing was claimed and a document exists: %v", what, err)
	case fiscal.Done:
		require.Len(s, made, 1, "%s: Done was claimed and no document exists: %v", what, err)
		require.Equal(s, made[0].Number, doc.Number, "%s: Done, with another document: %v", what, err)
	case fiscal.Unknown:
	default:
		require.Fail(s, "an effect nobody knows", "%s: %v", what, e.Effect)
	}
}
