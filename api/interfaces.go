package api

import (
	"context"
	"io"
	"time"

	"frpoold/circuits"
	"frpoold/fiscal"
)

// Circuits is the membership of the rack. *circuits.Registry is one. Failures are *fiscal.UserError; by is who asks, for
// the audit log, which Circuits keeps for its own changes.
type Circuits interface {
	CreateCircuit(ctx context.Context, by, identifier, title, zone string) (circuits.Circuit, error)
	CircuitViews() []circuits.CircuitView
	CircuitView(identifier string) (circuits.CircuitView, error)

	AddDevice(ctx context.Context, by string, circuit fiscal.CircuitID, typ, eip string) (circuits.Member, error)
	Members() []circuits.Member
	// Member finds a device under any spelling of its eip; the ID in the answer is the one spelling others know.
	Member(id fiscal.DeviceID) (circuits.Member, error)
	Activate(ctx context.Context, by string, id fiscal.DeviceID, force bool, reason string) (m circuits.Member, ignored []string, err error)
	Deactivate(ctx context.Context, by string, id fiscal.DeviceID, wait bool, reason string) (m circuits.Member, drained bool, err error)
	RemoveDevice(ctx context.Context, by string, id fiscal.DeviceID) error

	AddIntegration(ctx context.Context, by string, circuit fiscal.CircuitID, typ, param1, param2 string) (circuits.Integration, error)
	Integration(id fiscal.IntegrationID) (circuits.Integration, error)
	SetIntegrationActive(ctx context.Context, by string, id fiscal.IntegrationID, active bool, reason string) (circuits.Integration, error)
	RemoveIntegration(ctx context.Context, by string, id fiscal.IntegrationID) error
}

// Fleet is the active devices as the pool sees them.
type Fleet interface {
	Views() []*fiscal.DeviceView
	View(id fiscal.DeviceID) (*fiscal.DeviceView, bool)
	// Exchanges are the last protocol exchanges of an active device and its last failed ones, oldest first.
	Exchanges(id fiscal.DeviceID) (recent, failed []fiscal.Exchange, ok bool)
	// Operate does one of the Op operations in the device's own turn. The document is nil for OpClock. It fails with
	// *fiscal.UserError or the register's *fiscal.Error.
	Operate(ctx context.Context, id fiscal.DeviceID, op string) (*fiscal.Document, error)
}

// Manual operations of Fleet.Operate.
const (
	OpShiftOpen  = "shift_open"
	OpShiftClose = "shift_close"
	OpClock      = "clock"
	OpReport     = "report"
)

// Submission is a receipt that passed every check that needs no device.
type Submission struct {
	Circuit     fiscal.CircuitID
	Integration fiscal.IntegrationID
	ExternalID  string
	Digest      string // of the content: equal for equal receipts
	CallbackURL string
	Receipt     fiscal.Receipt
	Deadline    time.Time // zero: the dispatcher's default
}

// JobFilter selects jobs, in ascending order of id. Zero fields select everything.
type JobFilter struct {
	Integration fiscal.IntegrationID
	ExternalID  string
	Status      fiscal.JobState
	After       fiscal.JobID
	Limit       int
}

// Jobs is the dispatcher. Failures are *fiscal.UserError.
type Jobs interface {
	// Submit stores the receipt as a job before it returns. created is false when the integration has a job of that
	// external id and the same content.
	Submit(ctx context.Context, s Submission) (job fiscal.Job, created bool, err error)
	Job(id fiscal.JobID) (fiscal.Job, error)
	// Wait returns the job as it is at rest, or as it is after until.
	Wait(ctx context.Context, id fiscal.JobID, until time.Duration) (fiscal.Job, error)
	Jobs(f JobFilter) (page []fiscal.Job, next fiscal.JobID, err error)
	Cancel(ctx context.Context, id fiscal.JobID) (fiscal.Job, error)
	// Resolve takes a person's word: outcome is OutcomeMade (with fd) or OutcomeNotMade. The dispatcher audits it.
	Resolve(ctx context.Context, by string, id fiscal.JobID, outcome string, fd fiscal.DocNumber, reason string) (fiscal.Job, error)
	Queued(c fiscal.CircuitID) int
}

// Outcomes of Jobs.Resolve.
const (
	OutcomeMade    = "made"
	OutcomeNotMade = "not_made"
)

// Deliveries is the outbox of callbacks.
type Deliveries interface {
	// Deliveries are the callbacks of a job that are not confirmed yet, those given up included.
	Deliveries(job fiscal.JobID) ([]fiscal.Delivery, error)
}

// Admin is what only operators reach of the store.
type Admin interface {
	// Audit is a page of the log behind the entry after, oldest first; next is 0 at the end.
	Audit(after uint64, limit int) (page []fiscal.AuditEntry, next uint64, err error)
	// AppendAudit records what has no other keeper: manual operations, backups, receipts taken back by a person.
	AppendAudit(e fiscal.AuditEntry) error
	// Backup writes a consistent copy of the store. It may hold a read transaction as long as w takes.
	Backup(w io.Writer) (int64, error)
}
