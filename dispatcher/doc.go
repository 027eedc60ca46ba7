// Package dispatcher gives each job a device and finds out what became of it.
//
// It owns the life of a job (job.go has the table), the queues, the choice of a device and the verdict on a job in
// doubt. It must not know protocols, HTTP, or how records are stored: the pool and the journal stand behind the small
// interfaces Fleet and Journal.
//
// # One loop
//
// Queues, assignments and the jobs not yet at rest belong to one goroutine; every method sends it a function and waits.
// The loop never waits for a device or a disk: receipts and looks run in goroutines of their own, and a durable write
// answers on a channel. Writes are submitted in the order of the decisions, and the journal applies them in that order, so
// a device's next job does not become durable before the end of the previous one; where the disk refuses that end, nothing
// of the next job is sent before it is written.
//
// # How it fails
//
// A write that cannot be made is tried again until it succeeds, and the job does not move before it has. A device that is
// not sure is asked until it answers. A job whose evidence does not decide goes to a person, never to a resend.
package dispatcher
