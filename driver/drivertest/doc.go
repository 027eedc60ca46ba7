// Package drivertest is the conformance suite of package driver: what every protocol family must keep, whatever its bytes.
//
// It owns the promises of driver.go put to the test: reads change nothing, an operation makes one document or none, and
// the Effect of an error never says less than the archive shows. It must not know any protocol. It spoils the line itself,
// byte by byte, between the device and its register (tap.go); what only the register can do wrong (refuse, hang, be
// replaced) is done by the Bench that the family's test provides. A Bench without one of those hands skips the tests that
// need it, which is how the same suite runs against a register of metal.
//
// A family joins by writing a Bench over its simulator and calling Run over TCP, and RunIn with synctest.Test over pipes,
// where silence costs no time and the production timeouts can be waited out. Where a test needs to know which command
// makes the document, it finds out by watching the archive while an operation runs (watch), so that nothing has to be
// told about the family's flow.
//
// It must be used by tests only. Every failure is a failure of the test it runs in.
package drivertest
