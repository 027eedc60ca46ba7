package circuits

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"frpoold/fiscal"
)

// Store keeps circuits, members and integrations. Every call that changes something is durable when it returns nil, and
// has changed nothing when it fails. Lists are in the order of creation for circuits and integrations, in the order of
// eip for members.
type Store interface {
	Circuits() ([]Circuit, error)
	CreateCircuit(c Circuit) (Circuit, error) // gives it its ID
	Members() ([]Member, error)
	CreateMember(m Member) error // fails when the eip is taken
	UpdateMember(m Member) error // fails when there is none
	DeleteMember(id fiscal.DeviceID) error
	Integrations() ([]Integration, error)
	CreateIntegration(i Integration) (Integration, error) // gives it its ID
	UpdateIntegration(i Integration) error
	DeleteIntegration(id fiscal.IntegrationID) error
}

// Rack runs the registers. Inspect, Enrol and Withdraw are never called two at once for one device; Holds may be called
// at any time.
type Rack interface {
	// Inspect connects, identifies and disconnects. fiscal.ErrOtherFamily in the error's chain says that something
	// answered in another protocol; *PhaseError comes with a valid identity.
	Inspect(ctx context.Context, m Member) (fiscal.Identity, error)
	// Enrol starts the member's worker and returns at once. zone is the zone of the register's clock.
	Enrol(m Member, zone *time.Location) error
	// Withdraw gives the device no new job at once, and returns when the one in work is finished and the worker stopped.
	Withdraw(ctx context.Context, id fiscal.DeviceID) error
	// Holds names a job of the device that is not settled: one in doubt, or waiting for a person. A job that is being
	// made in good order does not count, Withdraw waits for it.
	Holds(id fiscal.DeviceID) (fiscal.JobID, bool)
}

// Options are what a Registry is told once.
type Options struct {
	// Types maps a device type, as operators write it, to its protocol family or FamilyAuto.
	Types map[string]string
	// IntegrationTypes maps an integration type to the check of its parameters. Paths are "param1" and "param2".
	IntegrationTypes map[string]func(param1, param2 string) []fiscal.ContentError
	DefaultZone      string // of a circuit created without one; empty means Europe/Moscow
	RefuseTestFN     bool
	Audit            func(fiscal.AuditEntry) error // nil keeps no log
	Now              func() time.Time
}

const fallbackZone = "Europe/Moscow"

// Registry is the membership of the whole rack. Reads come from memory and never wait for a device.
type Registry struct {
	store Store
	rack  Rack
	opt   Options

	// change is held while a change is checked, stored and told: one change at a time. Nothing that waits for a
	// register happens under it. Lock order: a device's own turn, then change, then mu.
	change sync.Mutex

	mu           sync.RWMutex // guards what follows; held for map operations only
	loaded       bool
	circuits     []Circuit // ascending by ID
	members      map[fiscal.DeviceID]Member
	integrations []Integration // ascending by ID
	turns        map[fiscal.DeviceID]*turn
	drains       map[fiscal.DeviceID]*drain

	background sync.WaitGroup // drains under way
}

// NewRegistry makes a registry; nothing is read before Start or the first call.
func NewRegistry(s Store, r Rack, o Options) *Registry {
	if o.DefaultZone == "" {
		o.DefaultZone = fallbackZone
	}
	if o.Audit == nil {
		o.Audit = func(fiscal.AuditEntry) error { return nil }
	}
	return &Registry{
		store: s, rack: r, opt: o,
		members: map[fiscal.DeviceID]Member{},
		turns:   map[fiscal.DeviceID]*turn{},
		drains:  map[fiscal.DeviceID]*drain{},
	}
}

// EnrolError says which active devices Start could not give to the rack; the others work.
type EnrolError struct {
	Failed map[fiscal.DeviceID]error
}

func (e *EnrolError) Error() string {
	parts := make([]string, 0, len(e.Failed))
	for _, id := range slices.Sorted(maps.Keys(e.Failed)) {
		parts = append(parts, fmt.Sprintf("%s: %v", id, e.Failed[id]))
	}
	return "active devices that could not be started: " + strings.Join(parts, "; ")
}

// Start reads the store and enrols every active member. A store that cannot be read is returned as it is; devices that
// cannot be enrolled come back as *EnrolError after all others were enrolled, so that one bad device does not stop a rack.
func (r *Registry) Start(ctx context.Context) error {
	r.change.Lock()
	defer r.change.Unlock()
	if err := r.load(); err != nil {
		return err
	}
	failed := map[fiscal.DeviceID]error{}
	for _, m := range r.Members() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !m.Active {
			continue
		}
		if err := r.enrol(m); err != nil {
			failed[m.ID] = err
		}
	}
	if len(failed) > 0 {
		return &EnrolError{failed}
	}
	return nil
}

// Wait returns when no withdrawal is under way any more. It is for shutdown, after the rack was told to stop.
func (r *Registry) Wait() { r.background.Wait() }

func (r *Registry) enrol(m Member) error {
	c, ok := r.circuit(m.Circuit)
	if !ok {
		return fmt.Errorf("its circuit %d does not exist", m.Circuit)
	}
	zone, err := loadZone(c.Zone)
	if err != nil {
		return err
	}
	return r.rack.Enrol(m, zone)
}

// load fills the memory from the store, once.
func (r *Registry) load() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loaded {
		return nil
	}
	cs, err1 := r.store.Circuits()
	ms, err2 := r.store.Members()
	is, err3 := r.store.Integrations()
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("reading the circuits: %w", err)
	}
	r.circuits, r.integrations, r.loaded = cs, is, true
	for _, m := range ms {
		r.members[m.ID] = m
	}
	return nil
}

// ensureLoaded is load for readers. A store that cannot be read is an error of Start and of every change; to a reader the
// rack is empty until then.
func (r *Registry) ensureLoaded() {
	r.mu.RLock()
	loaded := r.loaded
	r.mu.RUnlock()
	if !loaded {
		_ = r.load()
	}
}

// begin takes the right to change something; the caller unlocks r.change when the error is nil.
func (r *Registry) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return gaveUp(err)
	}
	r.change.Lock()
	if err := r.load(); err != nil {
		r.change.Unlock()
		return storeFailed(err)
	}
	return nil
}

// audit writes one entry about a change that is already made.
func (r *Registry) audit(by, action, target, reason, detail string) error {
	err := r.opt.Audit(fiscal.AuditEntry{At: r.opt.Now(), Actor: by, Action: action, Target: target, Reason: reason, Detail: detail})
	if err != nil {
		return &fiscal.UserError{
			Class: fiscal.ClassUnavailable, Code: "audit_failed",
			Message: fmt.Sprintf("The change was made, but the audit log could not be written: %v.", err),
		}
	}
	return nil
}

// CreateCircuit adds a circuit. An empty zone means the default one.
func (r *Registry) CreateCircuit(ctx context.Context, by, identifier, title, zone string) (Circuit, error) {
	if zone == "" {
		zone = r.opt.DefaultZone
	}
	if errs := checkCircuit(identifier, title, zone); len(errs) > 0 {
		return Circuit{}, contentError("invalid_circuit", "The circuit was not created", errs)
	}
	if err := r.begin(ctx); err != nil {
		return Circuit{}, err
	}
	defer r.change.Unlock()
	if c, ok := r.circuitByIdentifier(identifier); ok {
		return Circuit{}, circuitExists(c)
	}
	c, err := r.store.CreateCircuit(Circuit{Identifier: identifier, Title: title, Zone: zone, CreatedAt: r.opt.Now()})
	if err != nil {
		return Circuit{}, storeFailed(err)
	}
	r.mu.Lock()
	r.circuits = append(r.circuits, c)
	r.mu.Unlock()
	return c, r.audit(by, "circuit.create", c.Identifier, "", fmt.Sprintf("id %d, title %q, timezone %s", c.ID, c.Title, c.Zone))
}

// CircuitViews is every circuit with all that belongs to it, ascending by id.
func (r *Registry) CircuitViews() []CircuitView {
	r.ensureLoaded()
	r.mu.RLock()
	defer r.mu.RUnlock()
	index := make(map[fiscal.CircuitID]int, len(r.circuits))
	views := make([]CircuitView, len(r.circuits))
	for i, c := range r.circuits {
		views[i].Circuit, index[c.ID] = c, i
	}
	for _, m := range r.members {
		if i, ok := index[m.Circuit]; ok {
			views[i].Frs = append(views[i].Frs, m)
		}
	}
	for _, g := range r.integrations {
		if i, ok := index[g.Circuit]; ok {
			views[i].Integrations = append(views[i].Integrations, g)
		}
	}
	for i := range views {
		slices.SortFunc(views[i].Frs, inOrderOfArrival)
	}
	return views
}

// CircuitView is the circuit with exactly that identifier. It fails with circuit_not_found.
func (r *Registry) CircuitView(identifier string) (CircuitView, error) {
	for _, v := range r.CircuitViews() {
		if v.Identifier == identifier {
			return v, nil
		}
	}
	return CircuitView{}, notFound("circuit_not_found", "There is no circuit with the identifier %q: GET /fcircuit lists them all.", identifier)
}

func inOrderOfArrival(a, b Member) int {
	if n := a.AddedAt.Compare(b.AddedAt); n != 0 {
		return n
	}
	return strings.Compare(string(a.ID), string(b.ID))
}

// Circuit is one circuit by its number. It fails with circuit_not_found.
func (r *Registry) Circuit(id fiscal.CircuitID) (Circuit, error) {
	r.ensureLoaded()
	if c, ok := r.circuit(id); ok {
		return c, nil
	}
	return Circuit{}, circuitNotFound(id)
}

func (r *Registry) circuit(id fiscal.CircuitID) (Circuit, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i, ok := slices.BinarySearchFunc(r.circuits, id, func(c Circuit, id fiscal.CircuitID) int { return cmp.Compare(c.ID, id) })
	if !ok {
		return Circuit{}, false
	}
	return r.circuits[i], true
}

func (r *Registry) circuitByIdentifier(identifier string) (Circuit, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := slices.IndexFunc(r.circuits, func(c Circuit) bool { return c.Identifier == identifier })
	if i < 0 {
		return Circuit{}, false
	}
	return r.circuits[i], true
}
