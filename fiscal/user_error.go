package fiscal

// Class says whose move it is after a request was turned down. The API maps it to an HTTP status in one place.
type Class uint8

// Classes.
const (
	ClassMalformed    Class = iota + 1 // 400: the request cannot be read
	ClassContent                       // 422: it was read, and its content breaks a rule
	ClassUnauthorized                  // 401
	ClassForbidden                     // 403
	ClassNotFound                      // 404
	ClassConflict                      // 409: right in itself, but not in the present state
	ClassTooLarge                      // 413
	ClassTooMany                       // 429
	ClassUnreachable                   // 502: the register did not answer
	ClassUnavailable                   // 503: the daemon cannot do it now (disk full, shutting down)
)

// UserError turns a request down in words a person can act on.
type UserError struct {
	Class      Class
	Code       string // snake_case
	Message    string // one sentence
	Details    map[string]any
	RetryAfter int // seconds, with ClassTooMany and ClassUnavailable; 0 leaves it out
}

func (e *UserError) Error() string { return e.Message }

// ContentError is one broken rule of a receipt: where, which, and what to do.
type ContentError struct {
	Path    string `json:"path"` // "items[0].sum"
	Code    string `json:"code"`
	Message string `json:"message"`
}
