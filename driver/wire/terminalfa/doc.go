// Package terminalfa is the byte level of the «Терминал-ФА» / «КИТ Онлайн-Ф» protocol, shared by the driver and the
// simulator. Source: protocols/terminal-fa.md (section numbers in comments are its).
//
// It owns frames, check bytes, the layout of every command's request and reply, TLVs, text encoding and the meaning of
// error codes. It must not know the order of commands, timeouts, retries, connections or what a register is in the middle
// of. It has no state: every function is a pure function of its arguments.
//
// # Two ends, two tempers
//
// ParseReply reads as a host does: tolerant, because newer firmware answers with more bytes than the manual has. The known
// part is read, what follows is kept in Tail where the reply has one. ParseRequest reads as a register does: strict, so
// that the simulator refuses what a register would refuse.
//
// # Memory
//
// Append functions append to dst and allocate nothing beyond its growth. Every []byte in what ReadFrame, ParseRequest,
// ParseReply and ParseTLVs return aliases the bytes they were given: whoever keeps one past the next ReadFrame into the
// same buffer clones it. Strings are copies.
//
// # Failure
//
// Every error wraps one of the sentinels of errors.go, or is a *Refusal, or came from the reader given to ReadFrame.
// Nothing panics on any input.
package terminalfa
