package api

import (
	"net/netip"
	"sync"
	"time"
)

// throttle counts failed logins per address: a bucket of failedBurst failures that refills at one a second. Right
// credentials cost nothing, but while the bucket is empty nobody from that address is let in, since a guesser must not
// learn that a guess was right.
type throttle struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[netip.Prefix]bucket
}

type bucket struct {
	left float64 // failures still allowed, as of at; below 0 when several failed at once
	at   time.Time
}

const (
	failedBurst   = 20
	maxThrottled  = 4096 // addresses remembered
	ipv6Neighbour = 64   // bits: one customer's network is one address
)

func newThrottle(now func() time.Time) *throttle {
	return &throttle{now: now, buckets: map[netip.Prefix]bucket{}}
}

// refilled is the bucket as it is now.
func (b bucket) refilled(now time.Time) bucket {
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.left = min(b.left+passed, failedBurst)
		b.at = now
	}
	return b
}

func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = ipv6Neighbour
	}
	p, _ := a.WithZone("").Prefix(bits) // an invalid address has one bucket with all others
	return p
}

// wait is how many seconds an address must wait before it may try again; 0 when it may now.
func (t *throttle) wait(a netip.Addr) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.buckets[network(a)]
	if !ok {
		return 0
	}
	if b = b.refilled(t.now()); b.left >= 1 {
		return 0
	}
	return int(1-b.left) + 1
}

// failed notes a failed login.
func (t *throttle) failed(a netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, key := t.now(), network(a)
	b, ok := t.buckets[key]
	if !ok {
		if len(t.buckets) >= maxThrottled {
			t.forget(now)
		}
		b = bucket{left: failedBurst, at: now}
	}
	b = b.refilled(now)
	b.left = max(b.left-1, -failedBurst)
	t.buckets[key] = b
}

// forget makes room: every address whose bucket is full again, or else the fullest one.
func (t *throttle) forget(now time.Time) {
	var fullest netip.Prefix
	best := float64(-failedBurst) - 1
	for key, b := range t.buckets {
		left := b.refilled(now).left
		if left >= failedBurst {
			delete(t.buckets, key)
			continue
		}
		if left > best {
			fullest, best = key, left
		}
	}
	if len(t.buckets) >= maxThrottled {
		delete(t.buckets, fullest)
	}
}
