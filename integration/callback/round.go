package callback

import (
	"context"
	"net/url"
	"strings"
	"time"

	"frpoold/fiscal"
)

const (
	// hostQueue bounds what waits in memory for one host.
	hostQueue = 64
	// window is how many deliveries a pass looks at beyond those it holds already.
	window = 64
	// maxClaimed bounds what a pass holds in all.
	maxClaimed = 4096
	// putOff is when a delivery is looked at again whose host has its hands full.
	putOff = 30 * time.Second
)

// round is the state of one Run. Only its goroutine touches it.
type round struct {
	sender  *Sender
	work    context.Context // of the tries; outlives Run's own by the grace
	hosts   map[string]*host
	order   []*host // every host, for turns
	claimed map[uint64]struct{}
	active  int
	done    chan finished
}

// host is one scheme, name and port.
type host struct {
	name    string
	queue   []fiscal.Delivery
	active  int
	skipped bool // some of its deliveries were put off
}

type finished struct {
	host *host
	id   uint64
}

// pass takes what is due into the hosts' queues and starts what may start.
func (r *round) pass() {
	s := r.sender
	for len(r.claimed) < maxClaimed {
		limit := len(r.claimed) + window
		due, err := s.store.DueDeliveries(s.opt.Now(), limit)
		if err != nil {
			s.opt.Log.Error("callbacks wait: the outbox cannot be read", "error", err)
			break
		}
		moved := false
		for _, d := range due {
			if _, held := r.claimed[d.ID]; held || d.NextTry.IsZero() {
				continue
			}
			moved = r.take(d) || moved
		}
		if len(due) < limit || !moved {
			break
		}
	}
	r.start()
}

// take puts a delivery into its host's queue or puts it off. It reports that either was done: the delivery will not be
// due in the next look.
func (r *round) take(d fiscal.Delivery) bool {
	h := r.hostOf(d.URL)
	if len(h.queue) < hostQueue {
		h.queue = append(h.queue, d)
		r.claimed[d.ID] = struct{}{}
		return true
	}
	h.skipped = true
	d.NextTry = r.sender.opt.Now().Add(putOff + r.sender.spread(putOff))
	if err := r.sender.store.UpdateDelivery(d); err != nil {
		r.sender.opt.Log.Error("a callback could not be put off", "job", d.Job, "error", err)
		return false
	}
	return true
}

func (r *round) hostOf(address string) *host {
	name := "?"
	if u, err := url.Parse(address); err == nil {
		name = strings.ToLower(u.Scheme + "://" + u.Host)
	}
	h := r.hosts[name]
	if h == nil {
		h = &host{name: name}
		r.hosts[name] = h
		r.order = append(r.order, h)
	}
	return h
}

// start gives each host with work a turn until nobody can start another try.
func (r *round) start() {
	for again := true; again; {
		again = false
		for _, h := range r.order {
			if len(h.queue) == 0 || h.active >= r.sender.opt.PerHost || r.active >= r.sender.opt.Total {
				continue
			}
			d := h.queue[0]
			h.queue = h.queue[1:]
			h.active++
			r.active++
			again = true
			go func() {
				r.sender.deliver(r.work, d)
				r.done <- finished{h, d.ID}
			}()
		}
	}
	r.sender.metrics.inFlight.Set(float64(r.active))
}

// finish frees a try's place.
func (r *round) finish(f finished) {
	delete(r.claimed, f.id)
	f.host.active--
	r.active--
	if len(f.host.queue) == 0 {
		if f.host.skipped {
			f.host.skipped = false
			r.sender.Kick()
		}
		if f.host.active == 0 {
			r.forget(f.host)
		}
	}
	// The first host in the order must not be the first for ever when Total is what keeps others waiting.
	if len(r.order) > 1 {
		r.order = append(r.order[1:], r.order[0])
	}
	r.start()
}

func (r *round) forget(h *host) {
	delete(r.hosts, h.name)
	for i, other := range r.order {
		if other == h {
			r.order = append(r.order[:i], r.order[i+1:]...)
			return
		}
	}
}

// drain waits for the tries on the wire, at most for the grace.
func (r *round) drain(breakOff context.CancelFunc) {
	late := time.AfterFunc(grace, breakOff)
	defer late.Stop()
	for r.active > 0 {
		<-r.done
		r.active--
	}
	r.sender.metrics.inFlight.Set(0)
}
