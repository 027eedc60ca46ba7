package dispatcher

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
	"frpoold/pool"
)

const fnA, fnB = "8710000100012345", "8710000100099999"

// stamped are the marks of the job "OURS".
var stamped = fiscal.Marks{CheckProps: "OURS"}

// sent is a job that was sent when the last document was 10, on a register that is known to keep stamps.
func sent(change ...func(*fiscal.Baseline)) *fiscal.Job {
	b := fiscal.Baseline{FN: fnA, LastFD: 10, Stamp: fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: "OURS"}, Marks: stamped, Proven: true, At: time.Unix(0, 0)}
	for _, c := range change {
		c(&b)
	}
	return &fiscal.Job{ID: "OURS", State: fiscal.JobInDoubt, Operation: fiscal.Sell, Total: 15000, Attempts: []fiscal.Attempt{{Device: "a", Baseline: &b}}}
}

// clients is a baseline without a stamp: the client filled both places with values of its own.
func clients(b *fiscal.Baseline) {
	b.Stamp, b.Proven = fiscal.Stamp{}, false // nothing of ours that could be tried out
	b.Marks = fiscal.Marks{CheckProps: "order 7", UserProps: &fiscal.UserProps{Name: "shop", Value: "north"}}
}

func unproven(b *fiscal.Baseline) { b.Proven = false }

// paper is a receipt of 150.00 without any mark, as read in full from the archive.
func paper(n fiscal.DocNumber, change ...func(*fiscal.Document)) fiscal.Document {
	d := fiscal.Document{Kind: fiscal.KindReceipt, FN: fnA, Number: n, Operation: fiscal.Sell, Total: 15000, Full: true}
	for _, c := range change {
		c(&d)
	}
	return d
}

func ours(d *fiscal.Document)      { d.Marks = stamped }
func theirs(d *fiscal.Document)    { d.Marks = fiscal.Marks{CheckProps: "THEIRS"} }
func ofClient(d *fiscal.Document)  { d.Marks = sent(clients).Last().Baseline.Marks }
func dearer(d *fiscal.Document)    { d.Total = 15001 }
func refund(d *fiscal.Document)    { d.Operation = fiscal.SellRefund }
func bso(d *fiscal.Document)       { d.Kind = fiscal.KindBSO }
func report(d *fiscal.Document)    { d.Kind, d.Operation, d.Total = fiscal.KindShiftClose, 0, 0 }
func corrects(d *fiscal.Document)  { d.Kind = fiscal.KindCorrection }
func shortened(d *fiscal.Document) { d.Full, d.Marks = false, fiscal.Marks{} }

// found are the findings of a look that read the given documents; after is the last number when it is another one.
func found(docs ...fiscal.Document) *pool.Findings {
	f := &pool.Findings{After: fiscal.DocumentRef{FN: fnA, Last: 10}, Documents: docs}
	for _, d := range docs {
		f.After.Last = max(f.After.Last, d.Number)
	}
	return f
}

// The verdict on a job in doubt, every branch of it (design.md §5.3 and §12, Doubt). Whatever is not proven goes to a
// person: a wrong "absent" is a second receipt, a wrong "made" is none.
func TestJudge(t *testing.T) {
	t.Parallel()
	other := func(change func(*pool.Findings), docs ...fiscal.Document) *pool.Findings {
		f := found(docs...)
		change(f)
		return f
	}
	for _, tc := range []struct {
		name string
		job  *fiscal.Job
		f    *pool.Findings
		want verdict
		fd   fiscal.DocNumber // of the document found
		says string
	}{
		{"the number did not move", sent(), found(), absent, 0, "still 10"},
		{"the number did not move, something still hangs", sent(), other(func(f *pool.Findings) { f.After.Open = 3 }), undecided, 0, "still open"},
		{"another FN", sent(), other(func(f *pool.Findings) { f.After.FN = fnB }), undecided, 0, fnB},
		{"another FN at the same number", sent(), other(func(f *pool.Findings) { f.After.FN, f.After.Last = fnB, 11 }), undecided, 0, fnB},
		{"no FN", sent(), other(func(f *pool.Findings) { f.After = fiscal.DocumentRef{} }), undecided, 0, "FN"},
		{"the number went back", sent(), other(func(f *pool.Findings) { f.After.Last = 9 }), undecided, 0, "it was 10"},

		{"ours is next", sent(), found(paper(11, ours)), made, 11, "11"},
		{"ours is a BSO", sent(), found(paper(11, ours, bso)), made, 11, "11"},
		{"ours behind others", sent(), found(paper(11, theirs), paper(12, report), paper(13, ours)), made, 13, "13"},
		{"ours, and others hang behind it unread", sent(), other(func(f *pool.Findings) { f.After.Last = 40 }, paper(11, ours)), made, 11, "11"},
		{"ours among some without content", sent(), other(func(f *pool.Findings) { f.Unreadable = []fiscal.DocNumber{12} }, paper(11, shortened), paper(13, ours)), made, 13, "13"},
		{"ours, in the user attribute", sent(func(b *fiscal.Baseline) {
			b.Stamp.Tag, b.Marks = fiscal.StampUserProps, fiscal.Marks{UserProps: &fiscal.UserProps{Name: "frpoold", Value: "OURS"}}
		}), found(paper(11, func(d *fiscal.Document) {
			d.Marks = fiscal.Marks{UserProps: &fiscal.UserProps{Name: "frpoold", Value: "OURS"}}
		})), made, 11, "11"},

		{"ours, although the register dropped the client's own attribute", sent(func(b *fiscal.Baseline) {
			b.Marks.UserProps = &fiscal.UserProps{Name: "shop", Value: "north"}
		}), found(paper(11, ours)), made, 11, "11"},
		{"ours, in the user attribute, although the client's check text was cut", sent(func(b *fiscal.Baseline) {
			b.Stamp.Tag, b.Marks = fiscal.StampUserProps, fiscal.Marks{CheckProps: "order 7", UserProps: &fiscal.UserProps{Name: "frpoold", Value: "OURS"}}
		}), found(paper(11, func(d *fiscal.Document) {
			d.Marks = fiscal.Marks{CheckProps: "orde", UserProps: &fiscal.UserProps{Name: "frpoold", Value: "OURS"}}
		})), made, 11, "11"},
		{"one of a form nobody knows that cannot be read", sent(), found(paper(11, func(d *fiscal.Document) {
			d.Kind, d.Full, d.Operation, d.Total = 35, false, 0, 0
		})), undecided, 0, "11"},
		{"one of another FN", sent(), found(paper(11, theirs, func(d *fiscal.Document) { d.FN = fnB })), undecided, 0, "11"},

		{"our stamp on another sum", sent(), found(paper(11, ours, dearer)), undecided, 11, "stamp"},
		{"our stamp on another operation", sent(), found(paper(11, ours, refund)), undecided, 11, "stamp"},
		{"our stamp twice", sent(), found(paper(11, ours), paper(12, ours)), undecided, 0, "both"},
		{"our stamp on what is no receipt", sent(), found(paper(11, ours, report)), undecided, 11, "stamp"},
		{"our stamp on a kind nobody knows", sent(), found(paper(11, ours, func(d *fiscal.Document) { d.Kind = 0x83 })), undecided, 11, "stamp"},

		{"somebody else's receipt", sent(), found(paper(11, theirs)), absent, 0, "none"},
		{"somebody else's receipt of our sum without a mark", sent(), found(paper(11)), absent, 0, "none"},
		{"reports only", sent(), found(paper(11, report), paper(12, report)), absent, 0, "none"},
		{"a correction of our sum", sent(), found(paper(11, corrects)), absent, 0, "none"},

		{"one without content that may be ours", sent(), found(paper(11, shortened)), undecided, 0, "11"},
		{"one without content of another sum", sent(), found(paper(11, shortened, dearer)), absent, 0, "none"},
		{"one without content, a refund", sent(), found(paper(11, shortened, refund)), absent, 0, "none"},
		{"one without content, a report", sent(), found(paper(11, shortened, report)), absent, 0, "none"},
		{"one that the archive does not show", sent(), other(func(f *pool.Findings) { f.Unreadable, f.After.Last = []fiscal.DocNumber{11}, 11 }), undecided, 0, "11"},
		{"one of three that the archive does not show", sent(), other(func(f *pool.Findings) { f.Unreadable = []fiscal.DocNumber{12} }, paper(11, theirs), paper(13, report)), undecided, 0, "12"},
		{"too many to be read", sent(), other(func(f *pool.Findings) { f.After.Last = 20_000 }), undecided, 0, "too many"},
		{"some were not read", sent(), other(func(f *pool.Findings) { f.After.Last = 15 }, paper(11, theirs)), undecided, 0, ""},

		// A register that was never seen to keep stamps may have dropped ours.
		{"unproven, the number did not move", sent(unproven), found(), absent, 0, "still 10"},
		{"unproven, ours all the same", sent(unproven), found(paper(11, ours)), made, 11, "11"},
		{"unproven, one of our sum without a mark", sent(unproven), found(paper(11)), undecided, 0, "11"},
		{"unproven, one of another sum without a mark", sent(unproven), found(paper(11, dearer)), absent, 0, "none"},
		{"unproven, one with another's mark", sent(unproven), found(paper(11, theirs)), absent, 0, "none"},

		{"unproven, one of our sum with the client's attribute and no stamp", sent(unproven, func(b *fiscal.Baseline) {
			b.Marks.UserProps = &fiscal.UserProps{Name: "shop", Value: "north"}
		}), found(paper(11, func(d *fiscal.Document) { d.Marks.UserProps = &fiscal.UserProps{Name: "shop", Value: "north"} })), undecided, 0, "11"},
		{"unproven, one of our sum with the client's check text and no stamp", sent(unproven, func(b *fiscal.Baseline) {
			b.Stamp.Tag, b.Marks = fiscal.StampUserProps, fiscal.Marks{CheckProps: "order 7", UserProps: &fiscal.UserProps{Name: "frpoold", Value: "OURS"}}
		}), found(paper(11, func(d *fiscal.Document) { d.Marks.CheckProps = "order 7" })), undecided, 0, "11"},

		// No stamp was possible: the client's own values, sum and type decide, and only when they leave no choice.
		{"no stamp, the number did not move", sent(clients), found(), absent, 0, "still 10"},
		{"no stamp, one agrees", sent(clients), found(paper(11, ofClient)), made, 11, "11"},
		{"no stamp, one agrees among others", sent(clients), found(paper(11, theirs), paper(12, ofClient), paper(13, dearer)), made, 12, "12"},
		{"no stamp, two agree", sent(clients), found(paper(11, ofClient), paper(12, ofClient)), undecided, 0, "both"},
		{"no stamp, one agrees and one has no content", sent(clients), found(paper(11, ofClient), paper(12, shortened)), undecided, 0, "12"},
		{"no stamp, the marks on another sum", sent(clients), found(paper(11, ofClient, dearer)), absent, 0, "none"},
		{"no stamp, the marks on a report", sent(clients), found(paper(11, ofClient, report)), absent, 0, "none"},
		{"no stamp, our sum without any mark", sent(clients), found(paper(11)), undecided, 0, "11"},
		{"no stamp, another sum without any mark", sent(clients), found(paper(11, dearer)), absent, 0, "none"},
		{"no stamp, none", sent(clients), found(paper(11, theirs)), absent, 0, "none"},
		{"no stamp, none among some without content", sent(clients), found(paper(11, shortened)), undecided, 0, "11"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := judge(tc.job, tc.f)
			require.Equal(t, tc.want.String(), got.verdict.String(), got.reason)
			require.NotEmpty(t, got.reason, "a verdict says why")
			require.Contains(t, got.reason, tc.says)
			if tc.fd == 0 {
				require.Nil(t, got.found)
				return
			}
			require.NotNil(t, got.found)
			require.Equal(t, tc.fd, got.found.Number)
		})
	}
}

func TestVerdictWords(t *testing.T) {
	t.Parallel()
	require.Equal(t, verdict(0), undecided, "the careful one is the zero value")
	require.Equal(t, []string{"undecided", "made", "absent", "undecided"}, []string{undecided.String(), made.String(), absent.String(), verdict(9).String()})
}

// Evidence grows with every look and stays within bounds: the first exchanges and the last tell the story.
func TestEvidenceIsBounded(t *testing.T) {
	t.Parallel()
	exchange := func(n int) (list []fiscal.Exchange) {
		for i := range n {
			list = append(list, fiscal.Exchange{Took: time.Duration(i)})
		}
		return list
	}
	first := evidence(&fiscal.Evidence{Verdict: "asking", Exchanges: exchange(3)}, pool.Findings{Exchanges: exchange(2)}, judgement{reason: "why"})
	require.Equal(t, "why", first.Verdict)
	require.Len(t, first.Exchanges, 5)

	old := &fiscal.Evidence{Exchanges: exchange(50)}
	var docs []fiscal.Document
	for n := range fiscal.DocNumber(500) {
		docs = append(docs, paper(n))
	}
	ev := evidence(old, pool.Findings{Exchanges: exchange(500), Documents: docs}, judgement{})
	require.Len(t, ev.Exchanges, maxEvidence)
	require.EqualValues(t, 0, ev.Exchanges[0].Took)
	require.EqualValues(t, 499, ev.Exchanges[maxEvidence-1].Took)
	require.Len(t, ev.Documents, maxEvidence)
	require.EqualValues(t, 499, ev.Documents[maxEvidence-1].Number)
	require.Len(t, old.Exchanges, 50, "readers hold the old one")
	require.EqualValues(t, 49, old.Exchanges[49].Took)
}
