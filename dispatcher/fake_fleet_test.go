package dispatcher

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"frpoold/fiscal"
	"frpoold/pool"
)

// turn is what happens to one receipt on a fake device. The zero value makes it.
type turn struct {
	before error                    // the device fails before it asks for the durable record
	lost   bool                     // the document is made, and then err is said
	err    error                    // after the record
	until  chan struct{}            // after the record, before the document; hangs until closed
	early  chan struct{}            // before the record; hangs until closed
	change func(d *fiscal.Document) // of the document made
}

// box is one fake device: an archive and a script.
type box struct {
	id      fiscal.DeviceID
	circuit fiscal.CircuitID
	who     fiscal.Identity
	docs    []fiscal.Document
	proven  bool // it was seen to keep stamps
	gates   []fiscal.GateCode
	service time.Duration
	takes   time.Duration // of a receipt

	script  []turn
	refuses fiscal.JobID // for a reason of its own, each time
	looks   []error      // what the next looks fail with
	blind   error        // what every look fails with
	open    uint8
	lost    map[fiscal.DocNumber]bool // no content any more
	inWork  int
}

func newBox(id fiscal.DeviceID) *box {
	return &box{
		id: id, circuit: 1, takes: 300 * time.Millisecond, proven: true, lost: map[fiscal.DocNumber]bool{},
		who: fiscal.Identity{Serial: "S-" + string(id), FN: "FN-" + string(id), INN: "7707083893", RNM: "R-" + string(id),
			FFD: fiscal.FFD105, TaxSystems: fiscal.TaxUSNIncome, VATs: fiscal.VATsUpTo(fiscal.VATNone)},
		docs: []fiscal.Document{{Kind: fiscal.KindShiftOpen, FN: "FN-" + string(id), Number: 1, Full: true}},
	}
}

func (b *box) add(d fiscal.Document) fiscal.Document {
	d.FN, d.Number, d.Full = b.who.FN, fiscal.DocNumber(len(b.docs)+1), true
	d.Sign = fiscal.Sign(1000 + d.Number)
	d.Time = fiscal.DeviceTimeAt(time.Now(), zone)
	b.docs = append(b.docs, d)
	return d
}

// fleet is a pool of fake devices: it keeps to the same promises.
type fleet struct {
	diary   *diary
	changed func(fiscal.DeviceID, fiscal.CircuitID)
	cut     func() bool // the daemon died and sends nothing any more

	mu    *sync.Mutex // of the devices, which outlive the daemon
	boxes []*box
	holds map[fiscal.DeviceID]fiscal.JobID
	wrong []string // what a pool would never have been asked
}

var _ Fleet = (*fleet)(nil)

func newFleet(d *diary, boxes ...*box) *fleet {
	return &fleet{diary: d, mu: &sync.Mutex{}, boxes: boxes, holds: map[fiscal.DeviceID]fiscal.JobID{}, changed: func(fiscal.DeviceID, fiscal.CircuitID) {}}
}

// again is the pool of the next daemon over the same devices.
func (f *fleet) again(d *diary) *fleet {
	next := newFleet(d, f.boxes...)
	next.mu = f.mu
	return next
}

func (f *fleet) box(id fiscal.DeviceID) *box {
	for _, b := range f.boxes {
		if b.id == id {
			return b
		}
	}
	return nil
}

// set changes the devices as the world would, and tells the dispatcher.
func (f *fleet) set(change func()) {
	f.mu.Lock()
	change()
	all := slices.Clone(f.boxes)
	f.mu.Unlock()
	for _, b := range all {
		f.changed(b.id, b.circuit)
	}
}

func (f *fleet) Views(c fiscal.CircuitID) (list []*fiscal.DeviceView) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.boxes {
		if b.circuit != c {
			continue
		}
		who := b.who
		v := &fiscal.DeviceView{ID: b.id, Circuit: c, Identity: &who, Service: b.service, Working: b.inWork > 0,
			Status: &fiscal.Status{Document: fiscal.DocumentRef{FN: who.FN, Last: fiscal.DocNumber(len(b.docs))}}}
		if _, held := f.holds[b.id]; held {
			v.Gates = append(v.Gates, fiscal.Gate{Code: fiscal.GateInDoubt, Message: "held"})
		}
		for _, code := range b.gates {
			v.Gates = append(v.Gates, fiscal.Gate{Code: code, Message: string(code)})
		}
		list = append(list, v)
	}
	return list
}

func failure(k fiscal.Kind, e fiscal.Effect, err error) error {
	return &fiscal.Error{Op: "fake", Kind: k, Effect: e, Code: 7, Err: err}
}

var (
	errSilent  = failure(fiscal.Link, fiscal.Unknown, errors.New("no answer in time"))
	errAfter   = failure(fiscal.Attention, fiscal.Done, errors.New("paper"))
	errRefused = failure(fiscal.Refused, fiscal.Nothing, errors.New("the sum is wrong"))
	errInvalid = failure(fiscal.Invalid, fiscal.Nothing, errors.New("no such word"))
	errPerson  = failure(fiscal.Attention, fiscal.Nothing, errors.New("out of ink"))
	errNoLine  = failure(fiscal.Offline, fiscal.Nothing, errors.New("connection refused"))
	errExpired = failure(fiscal.Attention, fiscal.Nothing, fiscal.ErrShiftExpired)
)

func (f *fleet) Register(_ context.Context, id fiscal.DeviceID, r pool.Receipt) pool.Outcome {
	f.mu.Lock()
	b := f.box(id)
	if b == nil {
		f.mu.Unlock()
		return pool.Outcome{Err: errNoLine}
	}
	if job, held := f.holds[id]; held {
		f.wrong = append(f.wrong, fmt.Sprintf("%s was sent to %s, which holds %s", r.Job, id, job))
	}
	if b.inWork++; b.inWork > 1 {
		f.wrong = append(f.wrong, fmt.Sprintf("%s was sent to %s, which is at work", r.Job, id))
	}
	var t turn
	if len(b.script) > 0 {
		t, b.script = b.script[0], b.script[1:]
	}
	if b.refuses == r.Job {
		t = turn{err: errPerson}
	}
	takes := b.takes
	f.mu.Unlock()
	f.diary.note("task %s %s", r.Job, id)
	out := f.receipt(b, r, t, takes)
	f.mu.Lock()
	b.inWork--
	f.mu.Unlock()
	return out
}

func (f *fleet) receipt(b *box, r pool.Receipt, t turn, takes time.Duration) pool.Outcome {
	if t.early != nil {
		<-t.early
	}
	if t.before != nil {
		return pool.Outcome{Err: t.before}
	}
	f.mu.Lock()
	stamp := fiscal.ChooseStamp(r.Job, &r.Receipt, b.who.FFD)
	baseline := fiscal.Baseline{FN: b.who.FN, Serial: b.who.Serial, LastFD: fiscal.DocNumber(len(b.docs)), Stamp: stamp,
		Marks: fiscal.MarksOf(&r.Receipt, stamp), Proven: b.proven, At: time.Now()}
	who := b.who
	f.mu.Unlock()
	if err := r.Begin(baseline); err != nil {
		return pool.Outcome{Err: failure(fiscal.Internal, fiscal.Nothing, err), Identity: who}
	}
	if f.cut != nil && f.cut() {
		return pool.Outcome{Err: failure(fiscal.Internal, fiscal.Nothing, errors.New("dead"))}
	}
	f.diary.note("bytes %s %s", r.Job, b.id)
	if t.until != nil {
		<-t.until
	}
	time.Sleep(takes)
	var doc fiscal.Document
	if t.err == nil || t.lost {
		f.mu.Lock()
		d := fiscal.Document{Kind: fiscal.KindReceipt, Operation: r.Receipt.Operation, Total: r.Receipt.Total(), Marks: baseline.Marks, Shift: 1, Receipt: 2}
		if t.change != nil {
			t.change(&d)
		}
		doc = b.add(d)
		f.mu.Unlock()
		f.diary.note("document %s %s %d", r.Job, b.id, doc.Number)
	}
	if t.err == nil {
		return pool.Outcome{Document: &doc, Identity: who}
	}
	out := pool.Outcome{Err: t.err, Identity: who}
	if fiscal.EffectOf(t.err) != fiscal.Nothing {
		out.Exchanges = []fiscal.Exchange{{Command: "24 form receipt", Error: t.err.Error()}}
		f.Hold(b.id, r.Job)
	}
	return out
}

func (f *fleet) Look(ctx context.Context, id fiscal.DeviceID, base fiscal.Baseline, match func(fiscal.Document) bool) (pool.Findings, error) {
	if err := ctx.Err(); err != nil {
		return pool.Findings{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.box(id)
	if b == nil {
		return pool.Findings{}, errNoLine
	}
	f.diary.note("look %s %s", id, time.Now().Format("05.000"))
	if b.blind != nil {
		return pool.Findings{}, b.blind
	}
	if len(b.looks) > 0 {
		err := b.looks[0]
		if b.looks = b.looks[1:]; err != nil {
			return pool.Findings{}, err
		}
	}
	out := pool.Findings{Identity: b.who, After: fiscal.DocumentRef{FN: b.who.FN, Last: fiscal.DocNumber(len(b.docs)), Open: b.open},
		Exchanges: []fiscal.Exchange{{Command: "08 FN status"}}}
	if b.who.FN != base.FN {
		return out, nil
	}
	for _, d := range b.docs {
		switch {
		case d.Number <= base.LastFD:
		case b.lost[d.Number]:
			out.Unreadable = append(out.Unreadable, d.Number)
		default:
			out.Documents = append(out.Documents, d)
			if match(d) {
				return out, nil
			}
		}
	}
	return out, nil
}

func (f *fleet) Hold(id fiscal.DeviceID, job fiscal.JobID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.holds[id] = job
	f.diary.note("hold %s %s", id, job)
}

func (f *fleet) Release(id fiscal.DeviceID) {
	f.mu.Lock()
	delete(f.holds, id)
	b := f.box(id)
	f.mu.Unlock()
	f.diary.note("release %s", id)
	if b != nil {
		f.changed(id, b.circuit)
	}
}

// held is the job a device holds, empty when none.
func (f *fleet) held(id fiscal.DeviceID) fiscal.JobID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.holds[id]
}

// receipts are the documents on all devices that carry a job's stamp.
func (f *fleet) receipts(job fiscal.JobID) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.boxes {
		for _, d := range b.docs {
			if d.Marks.CheckProps == string(job) || d.Marks.UserProps != nil && d.Marks.UserProps.Value == string(job) {
				n++
			}
		}
	}
	return n
}
