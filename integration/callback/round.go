package callback

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"frpoold/fiscal"
)

const (
	// hostQueue bounds what waits in memory for one host, failingQueue for one whose last try failed.
	hostQueue    = 256
	failingQueue = 8
	// window is how many deliveries a look brings beyond those held already.
	window = 64
	// maxClaimed bounds what is held in all.
	maxClaimed = 16384
	// lookCost, for each delivery held, is the shortest time between two looks: the outbox shows those held again.
	lookCost = 50 * time.Microsecond

	// A delivery that finds its host's queue full is put off by one of these, longer when many are, at most putOffMost.
	putOffWell    = 5 * time.Second // the host's last try was a success
	putOffFailing = time.Minute
	putOffMost    = 15 * time.Minute
)

// round is the state of one Run. Only its goroutine touches it.
type round struct {
	sender  *Sender
	work    context.Context // of the tries; outlives Run's own by the grace
	hosts   map[string]*host
	order   []*host             // every host, for turns
	claimed map[uint64]struct{} // in a queue, being tried, or being put off
	active  int                 // tries
	putting int                 // deliveries being put off
	looked  time.Time
	done    chan finished
}

// host is one scheme, name and port, as one integration calls it.
type host struct {
	name    string
	queue   []fiscal.Delivery
	active  int
	failing bool
	skipped int // put off since the queue was last empty
}

func (h *host) room() int {
	if h.failing {
		return failingQueue
	}
	return hostQueue
}

// tries is how many may be on the wire at once: one tells as well as several that a host does not answer.
func (h *host) tries(perHost int) int {
	if h.failing {
		return 1
	}
	return perHost
}

// finished is a try that ended, or, without a host, a delivery that was put off.
type finished struct {
	host *host
	id   uint64
	ok   bool
}

// pause is how long a kick has to wait for its look.
func (r *round) pause() time.Duration {
	if len(r.claimed) <= window {
		return 0
	}
	next := r.looked.Add(time.Duration(len(r.claimed)) * lookCost)
	return next.Sub(r.sender.opt.Now())
}

// pass takes what is due into the hosts' queues and starts what may start.
func (r *round) pass() {
	s := r.sender
	for len(r.claimed) < maxClaimed && r.putting == 0 {
		limit := len(r.claimed) + window
		r.looked = s.opt.Now()
		due, err := s.store.DueDeliveries(r.looked, limit)
		if err != nil {
			s.opt.Log.Error("callbacks wait: the outbox cannot be read", "error", err)
			break
		}
		news := 0
		for _, d := range due {
			if _, held := r.claimed[d.ID]; held || d.NextTry.IsZero() {
				continue
			}
			news++
			r.claimed[d.ID] = struct{}{}
			if h := r.hostOf(d); len(h.queue) < h.room() {
				h.queue = append(h.queue, d)
			} else {
				r.putOff(h, d)
			}
		}
		if news == 0 || len(due) < limit {
			break
		}
	}
	r.start()
}

// putOff moves a delivery out of sight, so that those of other hosts behind it come into view. The writes of one look
// run at once and share their commit; the last of them to end brings the next look.
func (r *round) putOff(h *host, d fiscal.Delivery) {
	s, wait := r.sender, putOffWell
	if h.failing {
		wait = putOffFailing
	}
	later := min(wait*time.Duration(1+h.skipped/h.room()), putOffMost)
	h.skipped++
	r.putting++
	d.NextTry = s.opt.Now().Add(later + s.spread(wait))
	go func() {
		if err := s.store.UpdateDelivery(d); err != nil {
			s.opt.Log.Error("a callback could not be put off", "job", d.Job, "delivery", d.ID, "error", err)
			sleep(r.work, storeWait) // it is due still: not again at once
		}
		r.done <- finished{id: d.ID}
	}()
}

// hostOf keeps integrations apart, so that one shop's dead address does not hold up another's on the same host.
func (r *round) hostOf(d fiscal.Delivery) *host {
	name := "?"
	if u, err := url.Parse(d.URL); err == nil {
		name = strings.ToLower(u.Scheme + "://" + u.Host)
	}
	name = strconv.FormatUint(uint64(d.Integration), 10) + " " + name
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
			if len(h.queue) == 0 || h.active >= h.tries(r.sender.opt.PerHost) || r.active >= r.sender.opt.Total {
				continue
			}
			d := h.queue[0]
			h.queue = h.queue[1:]
			h.active++
			r.active++
			again = true
			go func() {
				ok := r.sender.deliver(r.work, d)
				r.done <- finished{h, d.ID, ok}
			}()
		}
	}
	r.sender.metrics.inFlight.Set(float64(r.active))
}

// finish frees the place of a try or of a delivery put off.
func (r *round) finish(f finished) {
	delete(r.claimed, f.id)
	h := f.host
	if h == nil {
		if r.putting--; r.putting == 0 {
			r.sender.Kick()
		}
		return
	}
	r.active--
	h.active--
	h.failing = !f.ok
	if room := h.room(); len(h.queue) > room {
		for _, d := range h.queue[room:] {
			r.putOff(h, d)
		}
		h.queue = h.queue[:room:room]
	}
	if len(h.queue) == 0 {
		h.skipped = 0
		if h.active == 0 {
			r.forget(h)
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

// drain waits for what is under way, at most for the grace.
func (r *round) drain(breakOff context.CancelFunc) {
	late := time.AfterFunc(grace, breakOff)
	defer late.Stop()
	for left := r.active + r.putting; left > 0; left-- {
		<-r.done
	}
	r.sender.metrics.inFlight.Set(0)
}
