// Package api is the daemon's HTTP face: the operator API and the receipt API of design.md §3, §4 and §12.
//
// It owns the routes (routes.go, one table), who may call them (auth.go), the exact JSON of every answer, the strict
// reading of bodies and queries, and the mapping of failures to HTTP statuses (errors.go, one switch each). A handler
// decodes, calls, encodes. The package must not know a protocol, a worker, a queue or the store: it declares the small
// interfaces it needs (interfaces.go) and is handed their makers by cmd.
//
// # Who is calling
//
// Every request is one of: a person with a token (operator or viewer), an integration with its param1 and param2, an
// anonymous caller, or, while no tokens are configured, a local operator. Credentials that are given are checked on
// every route, public ones included, and wrong ones are 401 always. An integration sees its own receipts; anybody else's
// do not exist for it.
//
// # How it fails
//
// Each failure is {"error":{"code","message","details"}} with a fitting status, 404 and 405 included. What was turned
// down carries the words of a *fiscal.UserError. What nobody foresaw is logged once under the request's X-Request-Id and
// answered with 500 and no inner text. A panic ends one request, never the daemon. Answers that were begun and cannot be
// finished (a broken stream) are cut off, so that a client never takes half an answer for a whole one.
package api
