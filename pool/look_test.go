package pool_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

// since is the baseline of a receipt that was sent when the last document was n.
func since(n fiscal.DocNumber) fiscal.Baseline {
	return fiscal.Baseline{FN: fnA, Serial: serial, LastFD: n}
}

var rubbish = fail(fiscal.Protocol, fiscal.Unknown, errors.New("wrong check sum"))

func nothingMatches(fiscal.Document) bool { return false }

func numbers(docs []fiscal.Document) (list []fiscal.DocNumber) {
	for _, d := range docs {
		list = append(list, d.Number)
	}
	return list
}

// design.md §12, Doubt: every document after the baseline is read, in order, until the receipt is found.
func TestLook(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name       string
		box        func(*register) // two documents are there: the registration and the opening of the shift
		from       fiscal.Baseline
		match      func(fiscal.Document) bool
		read       []fiscal.DocNumber
		unreadable []fiscal.DocNumber
		calls      []string
	}{
		{name: "the number did not move", from: since(2), calls: []string{"last"}},
		{name: "one document", box: func(b *register) { b.add(fiscal.Document{Kind: fiscal.KindReceipt}) }, from: since(2),
			read: []fiscal.DocNumber{3}, calls: []string{"last", "document 3"}},
		{name: "the match ends it", box: func(b *register) {
			for range 5 {
				b.add(fiscal.Document{Kind: fiscal.KindReceipt})
			}
		}, from: since(2), match: func(d fiscal.Document) bool { return d.Number == 4 },
			read: []fiscal.DocNumber{3, 4}, calls: []string{"last", "document 3", "document 4"}},
		{name: "some have no content", box: func(b *register) {
			for range 3 {
				b.add(fiscal.Document{Kind: fiscal.KindReceipt})
			}
			b.lost[3], b.lost[5] = true, true
		}, from: since(2), read: []fiscal.DocNumber{4}, unreadable: []fiscal.DocNumber{3, 5}, calls: []string{"last", "document 3", "document 4", "document 5"}},
		{name: "the number went back", from: since(9), calls: []string{"last"}},
		{name: "another FN", box: func(b *register) { b.id.FN = fnB }, from: since(1), calls: []string{"last"}},
		{name: "far too many to read", box: func(b *register) {
			for range 10_001 {
				b.add(fiscal.Document{Kind: fiscal.KindReceipt})
			}
		}, from: since(2), calls: []string{"last"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				r := one(t, box)
				if tc.box != nil {
					box.set(tc.box)
				}
				if tc.match == nil {
					tc.match = nothingMatches
				}
				box.forget()
				f, err := r.Look(t.Context(), eip, tc.from, tc.match)
				require.NoError(t, err)
				require.Equal(t, tc.calls, box.calls())
				require.Equal(t, tc.read, numbers(f.Documents))
				require.Equal(t, tc.unreadable, f.Unreadable)
				require.Equal(t, box.last(), f.After.Last)
				require.Equal(t, box.id.FN, f.After.FN)
				require.Equal(t, serial, f.Identity.Serial)
				require.Len(t, f.Exchanges, len(tc.calls), "every exchange is evidence")
			})
		})
	}
}

// A commit still on its way must not make a document after the verdict: what hangs is cancelled first, and the number is
// read after that.
func TestLookCancelsWhatHangs(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		box.set(func(b *register) { b.open = 3 })
		box.forget()
		f, err := r.Look(t.Context(), eip, since(2), nothingMatches)
		require.NoError(t, err)
		require.Equal(t, []string{"last", "cancel", "last"}, box.calls())
		require.Zero(t, f.After.Open)

		box.set(func(b *register) { b.open, b.stuck = 3, true })
		f, err = r.Look(t.Context(), eip, since(2), nothingMatches)
		require.NoError(t, err)
		require.NotZero(t, f.After.Open, "the verdict must see that it still hangs")
	})
}

// An error means that the device could not be asked; the line is not trusted after it.
func TestLookThatFails(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"last", "cancel", "document 3"} {
		for _, f := range []fault{{err: errSilent}, {panics: "nil map"}} {
			t.Run(what+map[bool]string{true: ", panic"}[f.panics != nil], func(t *testing.T) {
				bubble(t, func(t *testing.T) {
					box := openedShift()
					box.add(fiscal.Document{Kind: fiscal.KindReceipt})
					box.open = 3
					r := one(t, box)
					r.Hold(eip, "JOB")
					box.breaks(what, f)
					_, err := r.Look(t.Context(), eip, since(2), nothingMatches)
					require.Error(t, err)
					require.Equal(t, 1, len(box.calls("close")))
					job, held := r.Holds(eip)
					require.True(t, held)
					require.EqualValues(t, "JOB", job)
					found, err := r.Look(t.Context(), eip, since(2), nothingMatches)
					require.NoError(t, err, "the next look connects by itself")
					require.Equal(t, []fiscal.DocNumber{3}, numbers(found.Documents))
				})
			})
		}
	}
}

// design.md §12: anything unreadable is for a person. A register that answers with no, or with rubbish, every time it is asked
// for one document, must not keep its job in doubt for ever.
func TestLookAtADocumentThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, always := range map[string]error{
		"refused":        errRefused,
		"needs a person": errPerson,
		"rubbish":        rubbish,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				for range 3 {
					box.add(fiscal.Document{Kind: fiscal.KindReceipt})
				}
				r := one(t, box)
				box.set(func(b *register) { b.always["document 4"] = always })
				f, err := r.Look(t.Context(), eip, since(2), nothingMatches)
				require.NoError(t, err)
				require.Equal(t, []fiscal.DocNumber{3, 5}, numbers(f.Documents))
				require.Equal(t, []fiscal.DocNumber{4}, f.Unreadable)
				require.Len(t, box.calls("document 4"), 3, "a few tries are enough")
				r.made("JOB")
			})
		})
	}
	t.Run("rubbish once", func(t *testing.T) {
		bubble(t, func(t *testing.T) {
			box := openedShift()
			box.add(fiscal.Document{Kind: fiscal.KindReceipt})
			r := one(t, box)
			box.breaks("document 3", fault{err: rubbish}, fault{err: errPerson})
			f, err := r.Look(t.Context(), eip, since(2), nothingMatches)
			require.NoError(t, err)
			require.Equal(t, []fiscal.DocNumber{3}, numbers(f.Documents))
		})
	})
	for name, on := range map[string]struct {
		method string
		err    error
	}{
		"no line":      {"open", errNoLine},
		"more rubbish": {"identify", rubbish},
		"no status":    {"status", rubbish},
	} {
		t.Run("rubbish, and then "+name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				box := openedShift()
				box.add(fiscal.Document{Kind: fiscal.KindReceipt})
				box.add(fiscal.Document{Kind: fiscal.KindReceipt})
				r := one(t, box)
				box.breaks("document 3", fault{err: rubbish})
				box.breaks(on.method, fault{err: on.err})
				_, err := r.Look(t.Context(), eip, since(2), nothingMatches)
				require.Error(t, err, "it could not be asked")
				f, err := r.Look(t.Context(), eip, since(2), nothingMatches)
				require.NoError(t, err)
				require.Len(t, f.Documents, 2)
			})
		})
	}
}

// A device that cannot be reached says so at once, and is asked again at the next look.
func TestLookOffline(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		box.breaks("open", fault{err: errNoLine}, fault{err: errNoLine})
		r := one(t, box)
		_, err := r.Look(t.Context(), eip, since(2), nothingMatches)
		require.ErrorContains(t, err, "connection refused")
		_, err = r.Look(t.Context(), eip, since(2), nothingMatches)
		require.NoError(t, err)
	})
}

// What is looked at is the device as it is: gates do not matter.
func TestLookThroughClosedGates(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := newRack(t)
		e := enrolment(box)
		box.set(func(b *register) { b.id.FN, b.skew, b.status.Critical = fnB, time.Hour, true })
		r.add(box, func(n *pool.Enrolment) { *n = e })
		r.Hold(eip, "JOB")
		f, err := r.Look(t.Context(), eip, since(1), nothingMatches)
		require.NoError(t, err)
		require.Equal(t, fnB, f.After.FN)
		require.Empty(t, f.Documents, "the archive of another FN proves nothing")
	})
}

// A look that waits for a place gives up with its caller.
func TestLookGivesUp(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := one(t, box)
		block := make(chan struct{})
		box.breaks("register", fault{until: block})
		for range 16 {
			go r.make("JOB")
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := r.Look(ctx, eip, since(2), nothingMatches)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.Equal(t, fiscal.Canceled, fiscal.KindOf(err))
		close(block)
		synctest.Wait()
	})
}

// Hold is for the jobs found in the store at start, before any worker runs.
func TestHoldBeforeEnrol(t *testing.T) {
	bubble(t, func(t *testing.T) {
		box := openedShift()
		r := newRack(t)
		r.Hold(eip, "JOB")
		r.add(box)
		refuses(t, r, box, fiscal.GateInDoubt)
		require.Contains(t, r.view().Gates[0].Message, "JOB")
		r.Release(eip)
		synctest.Wait()
		r.made("JOB2")
		_, held := r.Holds(eip)
		require.False(t, held)
		r.Release("10.9.9.9:1") // of a device nobody holds: nothing happens
	})
}
