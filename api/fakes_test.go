package api

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"frpoold/circuits"
	"frpoold/fiscal"
)

var _ Circuits = (*circuits.Registry)(nil)

// fakeCircuits keeps records in slices and notes what it was asked to do.
type fakeCircuits struct {
	mu           sync.Mutex
	circuits     []circuits.Circuit
	members      []circuits.Member
	integrations []circuits.Integration
	calls        []string
	fail         error // of the next change
	ignored      []string
	draining     bool
	block        chan struct{} // Deactivate waits for it, or for its context
}

func (f *fakeCircuits) note(format string, args ...any) error {
	f.calls = append(f.calls, fmt.Sprintf(format, args...))
	return f.fail
}

func (f *fakeCircuits) lastCall() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.calls) == 0 {
		return ""
	}
	return f.calls[len(f.calls)-1]
}

func (f *fakeCircuits) CreateCircuit(_ context.Context, by, identifier, title, zone string) (circuits.Circuit, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note("create %s %q %q %q", by, identifier, title, zone); err != nil {
		return circuits.Circuit{}, err
	}
	if _, err := circuits.ParseIdentifier(identifier); err != nil {
		return circuits.Circuit{}, contentErrors(fiscal.ContentError{Path: "inn", Code: "inn_invalid", Message: err.Error()})
	}
	for _, c := range f.circuits {
		if c.Identifier == identifier {
			return circuits.Circuit{}, conflict("circuit_exists", "It exists.", nil)
		}
	}
	c := circuits.Circuit{ID: 9000, Identifier: identifier, Title: title, Zone: "Europe/Moscow", CreatedAt: testNow}
	f.circuits = append(f.circuits, c)
	return c, nil
}

func (f *fakeCircuits) CircuitViews() []circuits.CircuitView {
	f.mu.Lock()
	defer f.mu.Unlock()
	var views []circuits.CircuitView
	for _, c := range f.circuits {
		v := circuits.CircuitView{Circuit: c}
		for _, m := range f.members {
			if m.Circuit == c.ID {
				v.Frs = append(v.Frs, m)
			}
		}
		for _, g := range f.integrations {
			if g.Circuit == c.ID {
				v.Integrations = append(v.Integrations, g)
			}
		}
		views = append(views, v)
	}
	return views
}

func (f *fakeCircuits) CircuitView(identifier string) (circuits.CircuitView, error) {
	for _, v := range f.CircuitViews() {
		if v.Identifier == identifier {
			return v, nil
		}
	}
	return circuits.CircuitView{}, notFound("circuit_not_found", "No such circuit.")
}

func (f *fakeCircuits) AddDevice(_ context.Context, by string, circuit fiscal.CircuitID, typ, eip string) (circuits.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note("add %s %d %q %q", by, circuit, typ, eip); err != nil {
		return circuits.Member{}, err
	}
	if typ != "terminalfa" && typ != "pkfa12" {
		return circuits.Member{}, malformed("unknown_type", "Use one of pkfa12, terminalfa.", map[string]any{"known": []string{"pkfa12", "terminalfa"}})
	}
	id, err := circuits.ParseDeviceID(eip)
	if err != nil {
		return circuits.Member{}, malformed("malformed_eip", err.Error(), nil)
	}
	if !slices.ContainsFunc(f.circuits, func(c circuits.Circuit) bool { return c.ID == circuit }) {
		return circuits.Member{}, notFound("circuit_not_found", "No such circuit.")
	}
	if slices.ContainsFunc(f.members, func(m circuits.Member) bool { return m.ID == id }) {
		return circuits.Member{}, conflict("device_in_circuit", "It belongs to another circuit.", map[string]any{"inn": "5190114620-3"})
	}
	m := circuits.Member{ID: id, Circuit: circuit, Type: typ, Family: typ, AddedAt: testNow}
	f.members = append(f.members, m)
	return m, nil
}

func (f *fakeCircuits) Members() []circuits.Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.members)
}

func (f *fakeCircuits) Member(id fiscal.DeviceID) (circuits.Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	_ = f.note("member %q", id)
	m, err := f.member(id)
	if err != nil {
		return circuits.Member{}, err
	}
	return *m, nil
}

func (f *fakeCircuits) member(id fiscal.DeviceID) (*circuits.Member, error) {
	if c, err := circuits.ParseDeviceID(string(id)); err == nil {
		id = c
	}
	for i := range f.members {
		if f.members[i].ID == id {
			return &f.members[i], nil
		}
	}
	return nil, notFound("device_not_found", "No such device.")
}

func (f *fakeCircuits) Activate(_ context.Context, by string, id fiscal.DeviceID, force bool, reason string) (circuits.Member, []string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note("activate %s %s force=%t %q", by, id, force, reason); err != nil {
		return circuits.Member{}, nil, err
	}
	m, err := f.member(id)
	if err != nil {
		return circuits.Member{}, nil, err
	}
	m.Active, m.Ignored, m.ActivatedAt = true, f.ignored, testNow
	return *m, f.ignored, nil
}

func (f *fakeCircuits) Deactivate(ctx context.Context, by string, id fiscal.DeviceID, wait bool, reason string) (circuits.Member, bool, error) {
	f.mu.Lock()
	err := f.note("deactivate %s %s wait=%t %q", by, id, wait, reason)
	m, found := f.member(id)
	f.mu.Unlock()
	if err != nil {
		return circuits.Member{}, false, err
	}
	if found != nil {
		return circuits.Member{}, false, found
	}
	if f.block != nil && wait {
		select {
		case <-f.block:
		case <-ctx.Done():
			return *m, false, nil
		}
	}
	m.Active = false
	return *m, !f.draining, nil
}

func (f *fakeCircuits) RemoveDevice(_ context.Context, by string, id fiscal.DeviceID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note("remove %s %s", by, id); err != nil {
		return err
	}
	_, err := f.member(id)
	return err
}

func (f *fakeCircuits) AddIntegration(_ context.Context, by string, circuit fiscal.CircuitID, typ, param1, param2 string) (circuits.Integration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note("add int %s %d %q %q", by, circuit, typ, param1); err != nil {
		return circuits.Integration{}, err
	}
	if typ != "native" {
		return circuits.Integration{}, malformed("unknown_type", "Use native.", nil)
	}
	if param1 == "" || param2 == "" {
		return circuits.Integration{}, contentErrors(fiscal.ContentError{Path: "param1", Code: "required", Message: "Give it."})
	}
	g := circuits.Integration{ID: 6000, Circuit: circuit, Type: typ, Param1: param1, Param2: param2, CreatedAt: testNow}
	f.integrations = append(f.integrations, g)
	return g, nil
}

func (f *fakeCircuits) Integration(id fiscal.IntegrationID) (circuits.Integration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, g := range f.integrations {
		if g.ID == id {
			return g, nil
		}
	}
	return circuits.Integration{}, noIntegration()
}

func (f *fakeCircuits) SetIntegrationActive(_ context.Context, by string, id fiscal.IntegrationID, active bool, reason string) (circuits.Integration, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note("switch int %s %d %t %q", by, id, active, reason); err != nil {
		return circuits.Integration{}, err
	}
	for i := range f.integrations {
		if f.integrations[i].ID == id {
			f.integrations[i].Active = active
			return f.integrations[i], nil
		}
	}
	return circuits.Integration{}, noIntegration()
}

func (f *fakeCircuits) RemoveIntegration(_ context.Context, by string, id fiscal.IntegrationID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.note("remove int %s %d", by, id); err != nil {
		return err
	}
	n := len(f.integrations)
	f.integrations = slices.DeleteFunc(f.integrations, func(g circuits.Integration) bool { return g.ID == id })
	if len(f.integrations) == n {
		return noIntegration()
	}
	return nil
}

// fakeFleet shows fixed views.
type fakeFleet struct {
	views     []*fiscal.DeviceView
	exchanges []fiscal.Exchange
	doc       *fiscal.Document
	fail      error
	calls     []string
}

func (f *fakeFleet) Views() []*fiscal.DeviceView { return f.views }

func (f *fakeFleet) View(id fiscal.DeviceID) (*fiscal.DeviceView, bool) {
	for _, v := range f.views {
		if v.ID == id {
			return v, true
		}
	}
	return nil, false
}

func (f *fakeFleet) Exchanges(id fiscal.DeviceID) (recent, failed []fiscal.Exchange, ok bool) {
	if _, ok = f.View(id); !ok {
		return nil, nil, false
	}
	return f.exchanges, nil, true
}

func (f *fakeFleet) Operate(_ context.Context, id fiscal.DeviceID, op string) (*fiscal.Document, error) {
	f.calls = append(f.calls, string(id)+" "+op)
	if op == OpClock {
		return nil, f.fail
	}
	return f.doc, f.fail
}

// fakeJobs keeps jobs in a map.
type fakeJobs struct {
	mu       sync.Mutex
	jobs     map[fiscal.JobID]fiscal.Job
	filter   JobFilter
	next     fiscal.JobID
	fail     error
	submit   Submission
	resolved string
	waiting  chan struct{} // closed when Wait was entered
	rest     chan struct{} // Wait returns when it is closed
	strict   bool          // Wait fails when its context ends
	panics   bool
}

func (f *fakeJobs) Submit(_ context.Context, s Submission) (fiscal.Job, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.submit = s
	if f.fail != nil {
		return fiscal.Job{}, false, f.fail
	}
	for _, j := range f.jobs {
		if j.Integration != s.Integration || j.ExternalID != s.ExternalID {
			continue
		}
		if j.Digest != s.Digest {
			return fiscal.Job{}, false, conflict("external_id_conflict", "It was used for another receipt.", map[string]any{"id": j.ID})
		}
		return j, false, nil
	}
	j := fiscal.Job{ID: "01jnewnewnewnew1", Circuit: s.Circuit, Integration: s.Integration, ExternalID: s.ExternalID, Digest: s.Digest,
		State: fiscal.JobQueued, Operation: s.Receipt.Operation, Total: s.Receipt.Total(), Needs: s.Receipt.Needs(),
		CallbackURL: s.CallbackURL, CreatedAt: testNow, UpdatedAt: testNow, Deadline: testNow.Add(24 * time.Hour)}
	f.jobs[j.ID] = j
	return j, true, nil
}

func (f *fakeJobs) Job(id fiscal.JobID) (fiscal.Job, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.panics {
		panic("a bug")
	}
	if j, ok := f.jobs[id]; ok {
		return j, nil
	}
	return fiscal.Job{}, notFound("receipt_not_found", "No such receipt.")
}

func (f *fakeJobs) Wait(ctx context.Context, id fiscal.JobID, until time.Duration) (fiscal.Job, error) {
	if f.waiting != nil {
		close(f.waiting)
	}
	timer := time.NewTimer(until)
	defer timer.Stop()
	select {
	case <-f.rest:
	case <-timer.C:
	case <-ctx.Done():
		if f.strict {
			return fiscal.Job{}, ctx.Err()
		}
	}
	return f.Job(id)
}

func (f *fakeJobs) Jobs(filter JobFilter) ([]fiscal.Job, fiscal.JobID, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.filter = filter
	var page []fiscal.Job
	for _, j := range f.jobs {
		if (filter.Integration == 0 || j.Integration == filter.Integration) && (filter.Status == 0 || j.State == filter.Status) {
			page = append(page, j)
		}
	}
	slices.SortFunc(page, func(a, b fiscal.Job) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return page, f.next, f.fail
}

func (f *fakeJobs) Cancel(_ context.Context, id fiscal.JobID) (fiscal.Job, error) {
	j, err := f.Job(id)
	if err != nil {
		return j, err
	}
	if j.State != fiscal.JobQueued {
		return fiscal.Job{}, conflict("receipt_not_queued", "It is too late.", nil)
	}
	j.State = fiscal.JobCanceled
	f.set(j)
	return j, nil
}

func (f *fakeJobs) set(j fiscal.Job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs[j.ID] = j
}

func (f *fakeJobs) Resolve(_ context.Context, by string, id fiscal.JobID, outcome string, fd fiscal.DocNumber, reason string) (fiscal.Job, error) {
	f.resolved = fmt.Sprintf("%s %s %s %d %q", by, id, outcome, fd, reason)
	if f.fail != nil {
		return fiscal.Job{}, f.fail
	}
	return f.Job(id)
}

func (f *fakeJobs) Queued(c fiscal.CircuitID) int { return int(c) % 10 }

// fakeAdmin is the store.
type fakeAdmin struct {
	mu      sync.Mutex
	audit   []fiscal.AuditEntry
	after   uint64
	limit   int
	next    uint64
	fail    error
	content string
	begun   chan struct{} // closed when Backup was entered
	hold    chan struct{} // Backup goes on when it is closed
	pending []fiscal.Delivery
}

func (f *fakeAdmin) Audit(after uint64, limit int) ([]fiscal.AuditEntry, uint64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.after, f.limit = after, limit
	return f.audit, f.next, f.fail
}

func (f *fakeAdmin) AppendAudit(e fiscal.AuditEntry) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	e.Seq = uint64(len(f.audit) + 1)
	f.audit = append(f.audit, e)
	return f.fail
}

func (f *fakeAdmin) entries() []fiscal.AuditEntry {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.audit)
}

func (f *fakeAdmin) Backup(w io.Writer) (int64, error) {
	if f.begun != nil {
		close(f.begun)
		<-f.hold
	}
	n, err := io.WriteString(w, f.content)
	if f.fail != nil {
		err = f.fail
	}
	return int64(n), err
}

func (f *fakeAdmin) Deliveries(fiscal.JobID) ([]fiscal.Delivery, error) { return f.pending, nil }
