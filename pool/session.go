package pool

import (
	"context"
	"fmt"
	"slices"
	"time"

	"frpoold/fiscal"
)

const (
	// connectLimit bounds connecting, identifying and the first status together.
	connectLimit = 2 * time.Minute
	// staleFactor times the poll interval is how old a status may get on a device that always has work.
	staleFactor = 6
)

// pollOrConnect does what is due on an idle device.
func (w *worker) pollOrConnect() {
	w.turn = w.turn[:0]
	ctx, cancel := context.WithTimeout(context.Background(), connectLimit)
	defer cancel()
	if w.dev == nil {
		w.connect(ctx)
	} else {
		w.poll(ctx)
	}
	w.publish()
}

// nextPoll is when the device is looked at again.
func (w *worker) nextPoll() time.Duration {
	if w.dev != nil {
		return w.pool.opts.PollInterval
	}
	o := w.pool.opts
	most := o.BackoffMax
	if _, held := w.pool.Holds(w.id); held {
		most = min(most, o.DoubtRetry)
	}
	wait := o.BackoffMin << min(max(w.failures, 1), 16) // jitter takes up to half of it, and BackoffMin is the least
	return w.pool.jitter(min(wait, most))
}

// connect opens a session: line, identity, first status. Its failure is kept in lost.
func (w *worker) connect(ctx context.Context) {
	nothing := func() fiscal.Effect { return fiscal.Nothing }
	err := w.guard(nothing, func() error {
		dev, err := w.pool.opts.Open(ctx, w.typ, w.dialer, w.trace)
		if err != nil {
			return err
		}
		w.dev = dev // before the first word, so that the line is released whatever comes of it
		id, err := dev.Identify(ctx)
		if err != nil {
			return err
		}
		if w.identity != nil && w.identity.FN != id.FN {
			clear(w.stamps)
		}
		w.identity = &id
		return nil
	})
	if err != nil {
		w.closeSession(w.atDevice(err))
		return
	}
	w.failures, w.lost = 0, nil
	w.log.Info("connected", "model", w.identity.Model, "serial", w.identity.Serial, "fn", w.identity.FN,
		"ffd", w.identity.FFD.String(), "test_fn", fiscal.TestFN(w.identity.FN))
	w.poll(ctx)
}

// poll reads the status of a connected device. It changes nothing on the register.
func (w *worker) poll(ctx context.Context) {
	nothing := func() fiscal.Effect { return fiscal.Nothing }
	var s fiscal.Status
	err := w.guard(nothing, func() (err error) {
		s, err = w.dev.Status(ctx)
		return err
	})
	if err != nil {
		w.closeSession(w.atDevice(err))
		return
	}
	if t := w.pool.opts.Temperature; t != nil {
		if celsius := t(w.typ, w.id); celsius != nil {
			s.Temperature = celsius
		}
	}
	w.status, w.seenAt = &s, w.pool.opts.Now()
	was := w.hot
	w.hot = latchHot(w.pool.opts.Policy, w.hot, s.Temperature)
	if p := w.pool.opts.Policy; !was && s.Temperature != nil && *s.Temperature >= p.TemperatureWarn && !w.hot {
		w.log.Debug("device is warm", "celsius", *s.Temperature)
	}
	// Someone may have changed the storage while the line stood: the poll sees the FN, the identity must follow.
	if s.FNPresent && s.Document.FN != w.identity.FN {
		w.closeSession(fmt.Errorf("FN %s appeared in place of %s", s.Document.FN, w.identity.FN))
		w.failures = 0
	}
}

// refreshIfStale polls a device that always has work, between two receipts.
func (w *worker) refreshIfStale() {
	if w.dev == nil || w.pool.opts.Now().Sub(w.seenAt) < staleFactor*w.pool.opts.PollInterval {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), connectLimit)
	defer cancel()
	w.poll(ctx)
	w.publish()
}

// closeSession drops the session and keeps the reason. The last known identity and status stay in the snapshot, so an
// operator sees what was there.
func (w *worker) closeSession(reason error) {
	if dev := w.dev; dev != nil {
		w.dev = nil // first: a panic in Close ends here too
		nothing := func() fiscal.Effect { return fiscal.Nothing }
		if err := w.guard(nothing, dev.Close); err != nil {
			w.log.Debug("closing the line failed", "error", err)
		}
	}
	if reason == nil {
		return
	}
	w.failures++
	w.lost = reason
}

// publish replaces the snapshot and tells about gates that changed.
func (w *worker) publish() {
	now := w.pool.opts.Now()
	hold, _ := w.pool.Holds(w.id)
	if w.paused != nil && !now.Before(w.paused.until) {
		w.paused = nil
	}
	gates := closedGates(w.pool.opts.Policy, facts{
		now: now, zone: w.zone, inn: w.inn, draining: w.draining.Load(), lost: w.lost, expect: w.expect, identity: w.identity,
		status: w.status, hold: hold, hot: w.hot, printing: w.pool.opts.Printing(w.typ), closing: w.closing, paused: w.paused,
	})
	opened := w.tellGates(now, gates)
	old := w.view.Load()
	v := &fiscal.DeviceView{
		ID: w.id, Circuit: w.circuit, Type: w.typ, Identity: w.identity, Status: w.status, SeenAt: w.seenAt,
		Gates: gates, Working: w.working, Service: w.service, Receipts: w.receipts,
	}
	v.TestFN = w.identity != nil && fiscal.TestFN(w.identity.FN)
	w.view.Store(v)
	if opened || old.Ready() != v.Ready() || old.Working && !v.Working {
		w.pool.opts.Changed(w.id, w.circuit)
	}
}

// tellGates carries over since when a gate is closed, and logs and publishes each change once. It reports whether any
// gate opened.
func (w *worker) tellGates(now time.Time, gates []fiscal.Gate) (opened bool) {
	for i := range gates {
		g := &gates[i]
		at := slices.IndexFunc(w.gates, func(o fiscal.Gate) bool { return o.Code == g.Code })
		if at >= 0 {
			g.Since = w.gates[at].Since
			continue
		}
		g.Since = now
		w.log.Warn("gate closed", "gate", string(g.Code), "why", g.Message)
		w.pool.opts.Publish(fiscal.Event{At: now, Type: fiscal.EventGateClosed, Device: w.id, Circuit: w.circuit, Gate: g})
	}
	for i := range w.gates {
		g := w.gates[i]
		if slices.ContainsFunc(gates, func(o fiscal.Gate) bool { return o.Code == g.Code }) {
			continue
		}
		opened = true
		w.log.Info("gate opened", "gate", string(g.Code), "after", now.Sub(g.Since).Round(time.Second).String())
		w.pool.opts.Publish(fiscal.Event{At: now, Type: fiscal.EventGateOpened, Device: w.id, Circuit: w.circuit, Gate: &g})
	}
	w.gates = gates
	return opened
}
