// Package circuits is the domain of fiscalisation circuits («контуры фискализации»): which registers and integrations
// belong to which taxpayer, and what must hold before a register works for one.
//
// It owns membership: circuits, their devices, their integrations, and the rules of design.md §3. The rules are pure
// functions (address.go, circuit.go, rules.go); Registry applies them, writes the outcome through Store and tells Rack,
// which runs the registers. It must not know bbolt, HTTP, any protocol or any receipt, and it starts no goroutine but the
// one that waits for a register to finish its work when the caller does not want to wait.
//
// A device is inactive, active, or draining (switched off, its last job not yet finished). Only the first two are stored:
// a restart finds a draining device inactive, and its job is settled by the dispatcher's own record.
//
// A change is on disk before it is told to anybody: Store first, then memory and Rack, then the audit log. When Rack
// turns an activation down, the stored record is put back. When the audit log cannot be written the change stands and
// the caller is told so (code audit_failed). Every failure is a *fiscal.UserError.
package circuits
