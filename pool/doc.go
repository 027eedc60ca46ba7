// Package pool keeps one worker goroutine per active device.
//
// A worker owns its device's line and everything learnt from it. It connects and identifies with backoff, polls status
// while idle, executes one task at a time, and publishes immutable snapshots that everybody else reads. The package must
// not know jobs beyond one receipt at a time, queues, stores, or any protocol family: families come in as driver.Opener.
//
// # States of a worker
//
//	offline    no session; tries again with backoff (at most every 2 s apart while a job is in doubt)
//	online     identified; idle or polling
//	working    executes a task
//	draining   takes no new receipt, finishes and settles what it holds, then ends
//
// # Rules it enforces itself
//
//   - Job and poll never interleave on the wire: one goroutine does both, and a waiting task goes first.
//   - A poll only reads. A hanging document is cancelled at the start of a receipt or of a look, never by a poll.
//   - A device that holds a job in doubt registers nothing, whoever asks.
//   - Once the durable record of a receipt is written, the caller's cancelation no longer stops it.
//   - A panic in a driver ends the task, not the daemon; its effect is Unknown once the record was written.
package pool
