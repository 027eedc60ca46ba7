// Package simulator is a rack of cash registers in software: Terminal-FA and KIT Online-F with a fiscal storage each,
// on TCP ports or in-memory pipes. It speaks bytes, so a daemon cannot tell it from hardware.
//
// It owns the model of a register as protocols/terminal-fa.md §11 and §15 describe it: the fiscal storage (FN) and its
// archive, the shift, the document being built, the clock, the queue for the operator of fiscal data (OFD), and the
// refusal each wrong step earns. It also owns the ways a line and a register fail. It must not know the driver, the pool
// or the dispatcher: the model is written from the sheet, so that a mistake in the driver has nothing to agree with. Only
// the frame codec (driver/wire/terminalfa) is shared, and the archive is encoded here a second time on purpose.
//
// Layers, from the wire up: serve.go takes connections one after another and lets faults act on bytes; commands.go holds
// the order of checks; one file per group of commands holds the model; state.go keeps it on disk; control.go is the HTTP
// port through which people and tests see what really happened.
//
// One connection is served at a time per register, others wait in the order they came. The goroutine that serves has the
// register's buffers to itself; everything else (the model, the faults, the power switch) is behind one mutex per device,
// which is never held while waiting.
//
// Deliberate limits, beyond the holes the sheet names in its §14: printing (61–69), settings of network and printer
// (74, 75, 78–85), marking (91–94, 97), money counters (B0–B4), FN counters (DA) and firmware update (DF, E0) are answered with
// 0x26, unknown command. The content of documents is forgotten 30 days after they were made (domain/ffd.md §1.6) while
// their short form stays. An FN that is full or past its life still closes its shift and itself.
//
// Every failure a register can have is an answer on the wire. Errors of this package's functions mean wrong arguments,
// a port that cannot be had, or a state file that cannot be read or written.
package simulator
