package pool

import (
	"sync"

	"frpoold/fiscal"
)

// ring keeps the last exchanges of one device, and the last failed ones longer (style.md §8). The worker writes, the API
// reads.
type ring struct {
	mu     sync.Mutex
	recent lastN
	failed lastN
}

func newRing(recent, failed int) *ring {
	return &ring{recent: lastN{max: recent}, failed: lastN{max: failed}}
}

func (r *ring) add(e fiscal.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recent.add(e)
	if e.Error != "" {
		r.failed.add(e)
	}
}

func (r *ring) list() (recent, failed []fiscal.Exchange) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recent.list(), r.failed.list()
}

// lastN is a circular buffer that grows to max and then overwrites the oldest.
type lastN struct {
	max  int
	next int
	all  []fiscal.Exchange
}

func (l *lastN) add(e fiscal.Exchange) {
	if l.max <= 0 {
		return
	}
	if len(l.all) < l.max {
		l.all = append(l.all, e)
		return
	}
	l.all[l.next] = e
	l.next = (l.next + 1) % l.max
}

func (l *lastN) list() []fiscal.Exchange {
	out := make([]fiscal.Exchange, 0, len(l.all))
	out = append(out, l.all[l.next:]...)
	return append(out, l.all[:l.next]...)
}
