package api

import (
	"sync"
	"sync/atomic"

	"frpoold/fiscal"
)

// Broker hands events to the clients of GET /events. Publish may be called by anybody and never waits: each client has
// a buffer of its own, and one whose buffer is full is disconnected and counted.
type Broker struct {
	buffer  int
	dropped atomic.Uint64

	mu      sync.Mutex
	number  uint64 // of the last event
	clients map[*subscription]struct{}
}

// numbered is an event with its place in the broker's order.
type numbered struct {
	number uint64
	event  fiscal.Event
}

// subscription is one client's end.
type subscription struct {
	events chan numbered
	lost   chan struct{} // closed by the broker when the client was too slow
}

const (
	defaultEventBuffer = 256
	maxEventClients    = 100
)

// NewBroker makes a broker that keeps up to buffer events for each client; 0 means 256.
func NewBroker(buffer int) *Broker {
	if buffer <= 0 {
		buffer = defaultEventBuffer
	}
	return &Broker{buffer: buffer, clients: map[*subscription]struct{}{}}
}

// Publish hands an event to every client. The event's Job must not change any more.
func (b *Broker) Publish(e fiscal.Event) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.number++
	for c := range b.clients {
		select {
		case c.events <- numbered{b.number, e}:
		default:
			delete(b.clients, c)
			close(c.lost)
			b.dropped.Add(1)
		}
	}
}

// Clients is how many clients are connected now.
func (b *Broker) Clients() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.clients)
}

// Dropped counts the clients that were too slow.
func (b *Broker) Dropped() uint64 { return b.dropped.Load() }

// subscribe adds a client; ok is false when there are enough.
func (b *Broker) subscribe() (c *subscription, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.clients) >= maxEventClients {
		return nil, false
	}
	c = &subscription{events: make(chan numbered, b.buffer), lost: make(chan struct{})}
	b.clients[c] = struct{}{}
	return c, true
}

func (b *Broker) unsubscribe(c *subscription) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.clients, c)
}
