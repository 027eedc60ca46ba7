// Package native is the receipt API of frpoold itself: its JSON in, its JSON out.
//
// It owns the body of POST /int/{id}/receipts (Decode), the checks of a native integration's two parameters
// (CheckParams) and the job as clients see it, in answers and in callbacks (Render). The words are those of ATOL Online
// v4 wherever it has one.
//
// It must not know HTTP, queues, stores or devices: it turns bytes into a Request and a fiscal.Job into bytes.
//
// It fails with *fiscal.UserError, in two classes. ClassMalformed: the body cannot be read as a request at all (syntax,
// an unknown or repeated member, a wrong type). ClassContent: it was read and breaks rules. Either way every fault is
// found in one pass and listed in Details["errors"] with its path, so nobody has to fix them one at a time.
//
// # Defaults
//
// subject is commodity and measure is 0 (a piece) when they are absent. payment_method has none: ATOL Online takes
// full_prepayment, most shop software full_payment, and the difference is a second receipt the law asks for or does not.
// Absent means left out, null, or, for a text, empty.
package native
