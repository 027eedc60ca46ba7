// Package callback tells clients that their jobs came to rest: it delivers what stands in the outbox.
//
// It owns the addresses a callback may go to, the signature, and the order of tries: at least once, 2xx is delivered,
// otherwise again after 5 s and longer each time, up to an hour, for a day; then the delivery is given up and stays
// visible in the outbox. It never changes a job and never delays one.
//
// It must not know how jobs are stored or made, nor what a body looks like: they are functions it is given.
//
// A callback address comes from a client, so it is a way to make the daemon talk to its own network. A literal private
// address is refused with the receipt (CheckURL); a name is looked up anew on every try and the address that came out is
// checked when the connection is made, with no proxy, no redirect and no kept connection in between.
//
// It fails by leaving the delivery in the outbox. After a crash, or a try whose answer was lost, the client hears of the
// same job twice: it must treat the second as the first.
package callback
