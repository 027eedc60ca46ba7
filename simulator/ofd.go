package simulator

import (
	"time"

	"frpoold/fiscal"
)

// operator is the OFD as one register sees it: while it is on, it confirms the oldest document every so often. It has no
// goroutine; what should have happened meanwhile is made up for whenever somebody looks.
type operator struct {
	on    bool
	every time.Duration // 0: never confirms
	next  time.Time     // when the oldest waiting document is confirmed
}

// enter notes that a document was added to the queue.
func (o *operator) enter(r *register) {
	switch {
	case r.autonomous(): // there is no OFD to wait for
		r.kept.FN.Confirmed = r.lastFD()
	case r.lastFD()-r.kept.FN.Confirmed == 1:
		o.next = r.hostNow().Add(o.every)
	}
	o.catchUp(r)
}

// catchUp confirms what was due by now.
func (o *operator) catchUp(r *register) {
	fn := r.kept.FN
	if fn == nil {
		return
	}
	if o.on && o.every > 0 {
		for now := r.hostNow(); fn.Confirmed < r.lastFD() && !now.Before(o.next); {
			fn.Confirmed++
			o.next = o.next.Add(o.every)
		}
	}
	if fn.Phase == fiscal.PhasePostFiscal && fn.Confirmed == r.lastFD() {
		fn.Phase = fiscal.PhaseArchive
	}
}

// turn switches the OFD on or off.
func (o *operator) turn(r *register, on bool) {
	o.catchUp(r)
	if on && !o.on {
		o.next = r.hostNow().Add(o.every)
	}
	o.on = on
}

func (r *register) autonomous() bool {
	g, _ := r.current()
	return g.Modes&modeAutonomous != 0
}

// unconfirmed is how many documents wait for the OFD.
func (r *register) unconfirmed() uint32 {
	r.ofd.catchUp(r)
	return r.lastFD() - r.kept.FN.Confirmed
}

// oldestUnconfirmed is the first document in the queue, nil when it is empty.
func (r *register) oldestUnconfirmed() *record {
	if r.unconfirmed() == 0 {
		return nil
	}
	return r.find(r.kept.FN.Confirmed + 1)
}

// Ages of the oldest unsent document (domain/ffd.md §3.4).
const (
	ofdOverdue = 2 * 24 * time.Hour
	ofdBlocked = 30 * 24 * time.Hour
)

// ofdAge is how long the oldest document has waited.
func (r *register) ofdAge() time.Duration {
	if d := r.oldestUnconfirmed(); d != nil {
		return r.now().Sub(d.Time)
	}
	return 0
}
