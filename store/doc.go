// Package store keeps everything frpoold must not forget in one bbolt file: jobs with their receipts, circuits, callbacks
// waiting to be delivered, the audit log and the shifts' opening times.
//
// It owns the file, its schema and its integrity. It must not know devices, queues, HTTP, or which move of a job is
// allowed: it only insists that a job stands where the caller believes it stands.
//
// # Writing
//
// One goroutine writes (writer.go). Callers queue operations; all that wait share one transaction and one pair of disk
// flushes, and each gets its own answer once that transaction is on disk. Operations are applied strictly in the order
// they were queued. An operation that fails its own checks spoils nothing for the others. While the writer flushes, the
// next batch collects, so the more there is to do, the less each operation costs; nothing waits for a timer.
//
// # How it fails
//
//   - ErrWrite: the disk took nothing (full, gone). Not one operation of the batch is half-applied, and the store goes on
//     working as soon as the disk does. Where a batch does not fit, new jobs are turned away before the moves of jobs in
//     work are.
//   - ErrBroken: the disk took the write and then did not confirm it. What is on it is unknown, so nothing more is
//     written until the daemon is restarted; reads go on. The caller treats such an operation as not done: what it wrote
//     may still turn up after the restart, which is why a job is settled from its register's archive and not from here.
//   - ErrCorrupt: what is in the file contradicts itself.
//
// Records are JSON, keys are big-endian, and no slice of the file's memory leaves a transaction. Reads may show a write a
// moment before it is confirmed; Accept, whose answer is a promise to a client, is the one read that never does.
package store
