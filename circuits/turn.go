package circuits

import (
	"context"

	"frpoold/fiscal"
)

// self is the actor of what the registry finds out by itself.
const self = "frpoold"

// turn lets one operation at a time work on one device, while operations on other devices go on. It lives as long as
// somebody holds or awaits it.
type turn struct {
	taken chan struct{} // one slot: filled while the turn is held
	users int           // holder and waiters; guarded by Registry.mu
}

// takeTurn waits for the device's turn. It fails when ctx ends first.
func (r *Registry) takeTurn(ctx context.Context, id fiscal.DeviceID) (release func(), err error) {
	r.mu.Lock()
	t := r.turns[id]
	if t == nil {
		t = &turn{taken: make(chan struct{}, 1)}
		r.turns[id] = t
	}
	t.users++
	r.mu.Unlock()

	leave := func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(r.turns, id)
		}
	}
	select {
	case t.taken <- struct{}{}:
		return func() { <-t.taken; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, gaveUp(ctx.Err())
	}
}

// drain is a device that was switched off and still finishes its last job.
type drain struct {
	done chan struct{} // closed at the end
	err  error         // of Rack.Withdraw; read after done
}

// startDrain withdraws the device in the background. The caller's request may end before the job does, so only its
// values go on, not its cancelation. r.change is held.
func (r *Registry) startDrain(ctx context.Context, id fiscal.DeviceID) *drain {
	d := &drain{done: make(chan struct{})}
	r.mu.Lock()
	r.drains[id] = d
	r.mu.Unlock()
	r.background.Go(func() {
		d.err = r.rack.Withdraw(context.WithoutCancel(ctx), id)
		if d.err != nil {
			// Perhaps nobody waits for the answer. An audit log that cannot be written either leaves nobody to tell.
			_ = r.audit(self, "device.drain_failed", string(id), "", d.err.Error())
		}
		r.mu.Lock()
		delete(r.drains, id)
		r.mu.Unlock()
		close(d.done)
	})
	return d
}

func (r *Registry) drainOf(id fiscal.DeviceID) *drain {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.drains[id]
}

// await waits for the end of a drain; nil is over already. done is false when ctx ended first.
func (d *drain) await(ctx context.Context) (done bool, err error) {
	if d == nil {
		return true, nil
	}
	select {
	case <-d.done:
		return true, d.err
	case <-ctx.Done():
		return false, nil
	}
}
