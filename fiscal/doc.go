// Package fiscal is the shared vocabulary of frpoold: money, receipts, documents, registers, jobs and errors.
//
// It owns the words and the arithmetic every other package agrees on. It must not know how a register is reached, where
// a job is stored or who asked for it, and it imports nothing of ours.
//
// Numbers that are printed in the fiscal data format (FFD) keep the format's own codes, so a value can be compared with
// the order of the tax service (ЕД-7-20/662@) without a table in between. Words for people (JSON) are those of ATOL
// Online v4 wherever it has one, as docs/architecture.md lists.
//
// Money is kopecks in an int64, quantity is millionths in an int64. No float is used between JSON and the wire.
package fiscal
