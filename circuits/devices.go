package circuits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"frpoold/fiscal"
)

// Member is one device. It fails with device_not_found.
func (r *Registry) Member(id fiscal.DeviceID) (Member, error) {
	if m, ok := r.member(canonical(id)); ok {
		return m, nil
	}
	return Member{}, deviceNotFound(id)
}

// Members is every device of every circuit, in the order of eip.
func (r *Registry) Members() []Member {
	r.ensureLoaded()
	r.mu.RLock()
	defer r.mu.RUnlock()
	ms := make([]Member, 0, len(r.members))
	for _, m := range r.members {
		ms = append(ms, m)
	}
	slices.SortFunc(ms, func(a, b Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return ms
}

func (r *Registry) member(id fiscal.DeviceID) (Member, bool) {
	r.ensureLoaded()
	r.mu.RLock()
	defer r.mu.RUnlock()
	m, ok := r.members[id]
	return m, ok
}

func (r *Registry) keep(m Member) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.members[m.ID] = m
}

// AddDevice adds an inactive device to a circuit. Nothing is connected. It fails with unknown_type, malformed_eip,
// circuit_not_found or device_in_circuit.
func (r *Registry) AddDevice(ctx context.Context, by string, circuit fiscal.CircuitID, typ, eip string) (Member, error) {
	family, ok := r.opt.Types[typ]
	if !ok {
		return Member{}, unknownType("device", typ, r.opt.Types)
	}
	id, err := ParseDeviceID(eip)
	if err != nil {
		return Member{}, malformed("malformed_eip", "The device was not added: "+err.Error()+".", nil)
	}
	if err := r.begin(ctx); err != nil {
		return Member{}, err
	}
	defer r.change.Unlock()
	c, ok := r.circuit(circuit)
	if !ok {
		return Member{}, circuitNotFound(circuit)
	}
	if m, taken := r.onSameLine(id); taken {
		owner, _ := r.circuit(m.Circuit)
		return Member{}, deviceInCircuit(m, owner)
	}
	m := Member{ID: id, Circuit: circuit, Type: typ, Family: family, AddedAt: r.opt.Now()}
	if err := r.store.CreateMember(m); err != nil {
		return Member{}, storeFailed(err)
	}
	r.keep(m)
	return m, r.audit(by, "device.add", string(id), "", fmt.Sprintf("type %s, circuit %s", typ, c.Identifier))
}

func (r *Registry) onSameLine(id fiscal.DeviceID) (Member, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, m := range r.members {
		if line(m.ID) == line(id) {
			return m, true
		}
	}
	return Member{}, false
}

// Activate connects to the device, identifies it, checks the rules and puts it to work. With force every broken rule but
// a serial number in use is passed over; the codes of those come back in ignored. A device that does not answer cannot be
// forced: there would be no identity to bind it to. An active device is left as it is.
//
// It fails with device_not_found, device_unreachable, activation_refused or device_serial_in_use (Details "reasons"),
// and then nothing was switched.
func (r *Registry) Activate(ctx context.Context, by string, id fiscal.DeviceID, force bool, reason string) (m Member, ignored []string, err error) {
	id = canonical(id)
	release, err := r.takeTurn(ctx, id)
	if err != nil {
		return Member{}, nil, err
	}
	defer release()
	m, ok := r.member(id)
	if !ok {
		return Member{}, nil, deviceNotFound(id)
	}
	if m.Active {
		return m, nil, nil
	}
	if done, _ := r.drained(ctx, id, r.drainOf(id)); !done {
		if job, holds := r.rack.Holds(id); holds {
			return Member{}, nil, deviceInDoubt(id, job)
		}
		return Member{}, nil, stillDraining(id, "activated")
	}
	identity, err := r.rack.Inspect(ctx, m)
	var phase *PhaseError
	if err != nil && !errors.As(err, &phase) {
		return Member{}, nil, inspectFailed(m, err)
	}
	return r.switchOn(ctx, by, m, identity, phase, force, reason)
}

// switchOn is the part of Activate after the network. The device's turn is held.
func (r *Registry) switchOn(ctx context.Context, by string, was Member, identity fiscal.Identity, phase *PhaseError, force bool, reason string) (Member, []string, error) {
	if err := r.begin(ctx); err != nil {
		return Member{}, nil, err
	}
	defer r.change.Unlock()
	c, ok := r.circuit(was.Circuit)
	if !ok {
		return Member{}, nil, circuitNotFound(was.Circuit)
	}
	reasons := CheckActivation(c, was, identity, r.working(), r.opt.RefuseTestFN)
	codes := codesOf(reasons)
	if phase != nil && !slices.Contains(codes, ReasonFNPhase) {
		reasons = append(reasons, phase.reason())
		codes = append(codes, ReasonFNPhase)
	}
	if len(reasons) > 0 && (!force || slices.Contains(codes, ReasonSerialInUse)) {
		return Member{}, nil, activationRefused(was.ID, reasons)
	}
	m := was
	m.Active, m.Identity, m.Ignored, m.ActivatedAt = true, &identity, codes, r.opt.Now()
	if identity.Family != "" {
		m.Family = identity.Family
	}
	if err := r.store.UpdateMember(m); err != nil {
		return Member{}, nil, storeFailed(err)
	}
	if err := r.enrol(m); err != nil {
		if back := r.store.UpdateMember(was); back != nil {
			err = fmt.Errorf("%w; the stored record could not be put back either, so the next start will try the device again: %w", err, back)
		}
		return Member{}, nil, enrolFailed(m, err)
	}
	r.keep(m)
	detail := fmt.Sprintf("serial %s, fn %s", identity.Serial, identity.FN)
	if len(codes) > 0 {
		detail += ", forced over " + strings.Join(codes, " ")
	}
	return m, codes, r.audit(by, "device.activate", string(m.ID), reason, detail)
}

// working are the members whose registers work now: a draining one is no longer active, but still on its line.
func (r *Registry) working() []Member {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var ms []Member
	for id, m := range r.members {
		_, held := r.rack.Holds(id) // a register with an unsettled job works until it is settled, under whatever address
		if m.Active || r.drains[id] != nil || held {
			m.Active = true
			ms = append(ms, m)
		}
	}
	slices.SortFunc(ms, func(a, b Member) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return ms
}

func codesOf(errs []fiscal.ContentError) []string {
	var codes []string
	for _, e := range errs {
		codes = append(codes, e.Code)
	}
	return codes
}

// Deactivate takes the device out of work: no new job from the moment it is switched off on disk, the one in work is
// finished. With wait it returns when that is done, or when ctx ends; without, at once. drained says whether the device
// is idle now. Calling it again while the device drains joins the same drain.
//
// It fails with device_not_found, store_failed (nothing switched) or drain_failed (switched off, the worker did not stop).
func (r *Registry) Deactivate(ctx context.Context, by string, id fiscal.DeviceID, wait bool, reason string) (m Member, drained bool, err error) {
	id = canonical(id)
	release, err := r.takeTurn(ctx, id)
	if err != nil {
		return Member{}, false, err
	}
	m, d, err := r.switchOff(ctx, by, id, reason)
	release()
	if err != nil || !wait {
		return m, d == nil && err == nil, err
	}
	drained, err = r.drained(ctx, id, d)
	if err != nil {
		return m, false, drainFailed(id, err)
	}
	return m, drained, nil
}

// holdLook is how often a drain that is waited for is looked at for a job that fell in doubt.
const holdLook = 200 * time.Millisecond

// drained waits for the end of a drain, but not for a person: a device with a job that is not settled drains for as long as
// that takes.
func (r *Registry) drained(ctx context.Context, id fiscal.DeviceID, d *drain) (bool, error) {
	for {
		if _, holds := r.rack.Holds(id); holds {
			return false, nil
		}
		look, cancel := context.WithTimeout(ctx, holdLook)
		done, err := d.await(look)
		cancel()
		if done || err != nil || ctx.Err() != nil {
			return done, err
		}
	}
}

// switchOff stores the device inactive and starts its drain. An inactive device is left as it is; its drain is nil
// unless one is under way. The device's turn is held.
func (r *Registry) switchOff(ctx context.Context, by string, id fiscal.DeviceID, reason string) (Member, *drain, error) {
	if err := r.begin(ctx); err != nil {
		return Member{}, nil, err
	}
	defer r.change.Unlock()
	m, ok := r.member(id)
	if !ok {
		return Member{}, nil, deviceNotFound(id)
	}
	if !m.Active {
		return m, r.drainOf(id), nil
	}
	m.Active = false
	if err := r.store.UpdateMember(m); err != nil {
		return Member{}, nil, storeFailed(err)
	}
	d := r.startDrain(ctx, id)
	r.keep(m)
	return m, d, r.audit(by, "device.deactivate", string(id), reason, "")
}

// RemoveDevice takes a device out of its circuit for good, after it finished the job in work. It fails with
// device_not_found, device_in_doubt (before anything is switched, or after draining when the last job fell in doubt; the
// device then stays inactive), device_draining when ctx ends first, drain_failed or store_failed.
func (r *Registry) RemoveDevice(ctx context.Context, by string, id fiscal.DeviceID) error {
	id = canonical(id)
	release, err := r.takeTurn(ctx, id)
	if err != nil {
		return err
	}
	defer release()
	if _, ok := r.member(id); !ok {
		return deviceNotFound(id)
	}
	if job, holds := r.rack.Holds(id); holds {
		return deviceInDoubt(id, job)
	}
	_, d, err := r.switchOff(ctx, by, id, "it is being removed")
	if err != nil {
		return err
	}
	switch done, err := d.await(ctx); {
	case err != nil:
		return drainFailed(id, err)
	case !done:
		return stillDraining(id, "removed")
	}
	if job, holds := r.rack.Holds(id); holds {
		return deviceInDoubt(id, job)
	}
	return r.forget(ctx, by, id)
}

func (r *Registry) forget(ctx context.Context, by string, id fiscal.DeviceID) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.change.Unlock()
	m, _ := r.member(id)
	c, _ := r.circuit(m.Circuit)
	if err := r.store.DeleteMember(id); err != nil {
		return storeFailed(err)
	}
	r.mu.Lock()
	delete(r.members, id)
	r.mu.Unlock()
	return r.audit(by, "device.remove", string(id), "", "circuit "+c.Identifier)
}

func drainFailed(id fiscal.DeviceID, err error) error {
	return &fiscal.UserError{
		Class: fiscal.ClassUnavailable, Code: "drain_failed",
		Message: fmt.Sprintf("The device %s is switched off, but its worker did not stop: %v.", id, err),
		Details: map[string]any{"eip": id},
	}
}

func stillDraining(id fiscal.DeviceID, what string) error {
	return conflict("device_draining",
		fmt.Sprintf("The device %s was not %s: it is switched off and still finishes its last job, try again in a moment.", id, what),
		map[string]any{"eip": id})
}
