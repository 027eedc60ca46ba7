package native

import (
	"fmt"
	"strings"

	"frpoold/fiscal"
)

const (
	maxLogin  = 128
	minSecret = 8
	maxSecret = 256
)

// CheckParams checks the parameters of a new integration: param1 is the user name of Basic authentication, param2 its
// password and the key of callback signatures. Both are plain ASCII, because clients disagree on how to send anything
// else, and param1 has no colon, because that ends it.
func CheckParams(param1, param2 string) []fiscal.ContentError {
	var errs []fiscal.ContentError
	fail := func(path, rule, format string, args ...any) {
		errs = append(errs, fiscal.ContentError{Path: path, Code: rule, Message: fmt.Sprintf(format, args...)})
	}
	switch {
	case param1 == "":
		fail("param1", fiscal.RuleRequired, "param1 is missing or empty: give the login the shop will use, 1 to %d characters", maxLogin)
	case strings.IndexFunc(param1, func(r rune) bool { return notVisible(r) || r == ':' }) >= 0:
		fail("param1", fiscal.RuleBadFormat, "param1 is the user name of Basic authentication: use visible ASCII characters without a colon")
	case len(param1) > maxLogin:
		fail("param1", fiscal.RuleTooLong, "param1 has %d characters: at most %d are allowed", len(param1), maxLogin)
	}
	switch {
	case strings.IndexFunc(param2, notVisible) >= 0:
		fail("param2", fiscal.RuleBadFormat, "param2 is the password of Basic authentication: use visible ASCII characters")
	case len(param2) < minSecret:
		fail("param2", fiscal.RuleTooSmall, "param2 has %d characters: a secret must have at least %d", len(param2), minSecret)
	case len(param2) > maxSecret:
		fail("param2", fiscal.RuleTooLong, "param2 has %d characters: at most %d are allowed", len(param2), maxSecret)
	}
	return errs
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }
