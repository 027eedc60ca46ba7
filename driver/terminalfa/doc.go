// Package terminalfa drives Terminal-FA and KIT Online-F registers («Терминал-ФА», «КИТ Онлайн-Ф»).
//
// Source: protocols/terminal-fa.md; sections are named where a rule comes from. The package owns the order of commands,
// the quirks of the family (§12) and what an answer proves. It must not know bytes (driver/wire/terminalfa does), jobs or
// queues.
//
// # One connection per command
//
// The register closes after its answer (§2.2), so each command dials anew and the state of a document lives in the
// register, not in a connection. A connection that fails in any way is aborted, never reused, and what the operating
// system still holds for it is dropped.
//
// # What an outcome proves
//
// A receipt is built by several commands and made by one (0x24). Up to that one, no document can exist:
//
//	failed before 0x24 left us          Nothing; what hangs is cancelled now, or by the next job if the line is gone
//	0x24 refused, number seen unmoved   Nothing
//	0x24 answered, number is baseline+1 made
//	anything else                       Unknown: the dispatcher asks the archive
//
// A refusal of 0x24 is never taken at its word: the last document number is read afterwards, because some of the codes
// come from the exchange between register and FN.
package terminalfa
