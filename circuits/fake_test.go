package circuits_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/circuits"
	"frpoold/fiscal"
	"frpoold/store"
	"frpoold/store/storetest"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// rack is a circuits.Rack in memory. It fails the test when the registry breaks the contract.
type rack struct {
	t *testing.T

	mu       sync.Mutex
	answers  map[fiscal.DeviceID]fiscal.Identity
	errs     map[fiscal.DeviceID]error // of Inspect
	enrolErr error
	stopErr  error // of Withdraw
	holds    map[fiscal.DeviceID]fiscal.JobID
	working  map[fiscal.DeviceID]circuits.Member
	zones    map[fiscal.DeviceID]string
	busy     map[fiscal.DeviceID]string // the call in work
	calls    []string

	// Hooks run without the lock, in the middle of a call.
	onInspect  func(ctx context.Context, id fiscal.DeviceID)
	onWithdraw func(ctx context.Context, id fiscal.DeviceID)
}

func newRack(t *testing.T) *rack {
	return &rack{
		t: t, answers: map[fiscal.DeviceID]fiscal.Identity{}, errs: map[fiscal.DeviceID]error{}, holds: map[fiscal.DeviceID]fiscal.JobID{},
		working: map[fiscal.DeviceID]circuits.Member{}, zones: map[fiscal.DeviceID]string{}, busy: map[fiscal.DeviceID]string{},
	}
}

func (r *rack) enter(call string, id fiscal.DeviceID) func() {
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Empty(r.t, r.busy[id], "%s while another call for %s is in work", call, id)
	r.busy[id] = call
	r.calls = append(r.calls, call+" "+string(id))
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.busy, id)
	}
}

func (r *rack) Inspect(ctx context.Context, m circuits.Member) (fiscal.Identity, error) {
	defer r.enter("inspect", m.ID)()
	if r.onInspect != nil {
		r.onInspect(ctx, m.ID)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.NotContains(r.t, r.working, m.ID, "its worker has the line")
	return r.answers[m.ID], r.errs[m.ID]
}

func (r *rack) Enrol(m circuits.Member, zone *time.Location) error {
	defer r.enter("enrol", m.ID)()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.enrolErr != nil {
		return r.enrolErr
	}
	assert.NotContains(r.t, r.working, m.ID, "enrolled twice")
	r.working[m.ID], r.zones[m.ID] = m, zone.String()
	return nil
}

func (r *rack) Withdraw(ctx context.Context, id fiscal.DeviceID) error {
	defer r.enter("withdraw", id)()
	if r.onWithdraw != nil {
		r.onWithdraw(ctx, id)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	assert.Contains(r.t, r.working, id, "withdrawn twice")
	delete(r.working, id)
	return r.stopErr
}

func (r *rack) Holds(id fiscal.DeviceID) (fiscal.JobID, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	job, ok := r.holds[id]
	return job, ok
}

func (r *rack) works(id fiscal.DeviceID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.working[id]
	return ok
}

func (r *rack) count(call string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.calls {
		if c == call {
			n++
		}
	}
	return n
}

// answer makes a register of the test circuit's taxpayer answer at id.
func (r *rack) answer(id fiscal.DeviceID, serial string) fiscal.Identity {
	identity := fiscal.Identity{
		Family: "terminalfa", Model: "Терминал-ФА", Serial: serial, FN: "7381440800357213", INN: "5190114620",
		RNM: "0008287390020208", FFD: fiscal.FFD105,
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answers[id] = identity
	return identity
}

// faultyStore is the real store with a switch.
type faultyStore struct {
	circuits.Store
	mu   sync.Mutex
	fail map[string]error // by method; "update 2" fails the second update
	n    int
}

var errDisk = errors.New("no space left on device")

func (f *faultyStore) check(method string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.fail[method]
}

func (f *faultyStore) set(method string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fail[method], f.n = err, 0
}

func (f *faultyStore) Circuits() ([]circuits.Circuit, error) {
	if err := f.check("read"); err != nil {
		return nil, err
	}
	return f.Store.Circuits()
}

func (f *faultyStore) CreateCircuit(c circuits.Circuit) (circuits.Circuit, error) {
	if err := f.check("create"); err != nil {
		return c, err
	}
	return f.Store.CreateCircuit(c)
}

func (f *faultyStore) CreateMember(m circuits.Member) error {
	if err := f.check("create"); err != nil {
		return err
	}
	return f.Store.CreateMember(m)
}

func (f *faultyStore) UpdateMember(m circuits.Member) error {
	f.mu.Lock()
	f.n++
	n := f.n
	f.mu.Unlock()
	if err := errors.Join(f.check("update"), f.check(fmt.Sprintf("update %d", n))); err != nil {
		return err
	}
	return f.Store.UpdateMember(m)
}

func (f *faultyStore) DeleteMember(id fiscal.DeviceID) error {
	if err := f.check("delete"); err != nil {
		return err
	}
	return f.Store.DeleteMember(id)
}

func (f *faultyStore) CreateIntegration(i circuits.Integration) (circuits.Integration, error) {
	if err := f.check("create"); err != nil {
		return i, err
	}
	return f.Store.CreateIntegration(i)
}

func (f *faultyStore) UpdateIntegration(i circuits.Integration) error {
	if err := f.check("update"); err != nil {
		return err
	}
	return f.Store.UpdateIntegration(i)
}

func (f *faultyStore) DeleteIntegration(id fiscal.IntegrationID) error {
	if err := f.check("delete"); err != nil {
		return err
	}
	return f.Store.DeleteIntegration(id)
}

// bundle is a registry over a real store and a rack in memory, with one circuit.
type bundle struct {
	*circuits.Registry
	t       *testing.T
	rack    *rack
	db      *store.Store
	store   *faultyStore
	options circuits.Options
	circuit circuits.Circuit

	mu       sync.Mutex
	auditErr error
}

const (
	by  = "local"
	eip = fiscal.DeviceID("10.0.0.1:7777")
)

func newBundle(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, rack: newRack(t), db: storetest.Open(t)}
	b.store = &faultyStore{Store: b.db, fail: map[string]error{}}
	b.options = circuits.Options{
		Types: map[string]string{"terminalfa": "terminalfa", "shtrihm": "shtrihm", "pkfa12": circuits.FamilyAuto},
		IntegrationTypes: map[string]func(string, string) []fiscal.ContentError{
			"paykeeper": nil,
			"native": func(param1, param2 string) (errs []fiscal.ContentError) {
				for path, v := range map[string]string{"param1": param1, "param2": param2} {
					if v == "" {
						errs = append(errs, fiscal.ContentError{Path: path, Code: "required", Message: path + " is missing."})
					}
				}
				return errs
			},
		},
		Audit: b.audit,
		Now:   func() time.Time { return noon },
	}
	b.Registry = circuits.NewRegistry(b.store, b.rack, b.options)
	require.NoError(t, b.Start(context.Background()))
	var err error
	b.circuit, err = b.CreateCircuit(context.Background(), by, "5190114620-3", "ООО АлиТест2", "")
	require.NoError(t, err)
	t.Cleanup(b.Wait)
	return b
}

func (b *bundle) audit(e fiscal.AuditEntry) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.auditErr != nil {
		return b.auditErr
	}
	return b.db.AppendAudit(e)
}

func (b *bundle) failAudit(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.auditErr = err
}

// add adds a device of type terminalfa, and lets a register of the right taxpayer answer there.
func (b *bundle) add(id fiscal.DeviceID, serial string) circuits.Member {
	b.t.Helper()
	m, err := b.AddDevice(context.Background(), by, b.circuit.ID, "terminalfa", string(id))
	require.NoError(b.t, err)
	b.rack.answer(id, serial)
	return m
}

func (b *bundle) activate(id fiscal.DeviceID) circuits.Member {
	b.t.Helper()
	m, ignored, err := b.Activate(context.Background(), by, id, false, "")
	require.NoError(b.t, err)
	require.Empty(b.t, ignored)
	return m
}

// stored is the device as it is on disk.
func (b *bundle) stored(id fiscal.DeviceID) (circuits.Member, bool) {
	b.t.Helper()
	all, err := b.db.Members()
	require.NoError(b.t, err)
	i := slices.IndexFunc(all, func(m circuits.Member) bool { return m.ID == id })
	if i < 0 {
		return circuits.Member{}, false
	}
	return all[i], true
}

// log is the audit log as "action target" lines.
func (b *bundle) log() (lines []string) {
	b.t.Helper()
	entries, _, err := b.db.Audit(0, 1000)
	require.NoError(b.t, err)
	for _, e := range entries {
		assert.Equal(b.t, noon, e.At)
		assert.NotContains(b.t, e.Detail, "secret")
		lines = append(lines, e.Action+" "+e.Target)
	}
	return lines
}

// refusal is what a failure tells beside its class and code.
type refusal struct {
	Message string
	Details map[string]any
}

// refused asserts class and code of a failure, and that its message is a sentence.
func refused(t *testing.T, err error, class fiscal.Class, code string) refusal {
	t.Helper()
	var u *fiscal.UserError
	require.ErrorAs(t, err, &u)
	assert.Equal(t, code, u.Code)
	assert.Equal(t, class, u.Class)
	assert.Regexp(t, `^[A-Z].*\.$`, u.Message, "a sentence")
	return refusal{u.Message, u.Details}
}
