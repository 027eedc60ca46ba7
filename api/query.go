package api

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"frpoold/fiscal"
)

const (
	defaultLimit = 100
	maxLimit     = 1000
)

// query is a request's parameters. Unknown ones are let be: proxies and caches add their own.
type query struct{ values url.Values }

func (c *call) query() (query, error) {
	v, err := url.ParseQuery(c.r.URL.RawQuery)
	if err != nil {
		return query{}, malformed("invalid_query", "The query of the address cannot be read: check its percent encoding.", nil)
	}
	return query{v}, nil
}

// text is a parameter that may stand there once; given is false when it does not.
func (q query) text(name string) (value string, given bool, err error) {
	switch all := q.values[name]; len(all) {
	case 0:
		return "", false, nil
	case 1:
		return all[0], true, nil
	default:
		return "", true, badParameter(name, "stands there more than once")
	}
}

// flag is a parameter that is 1 or 0.
func (q query) flag(name string, otherwise bool) (bool, error) {
	value, given, err := q.text(name)
	if err != nil || !given {
		return otherwise, err
	}
	switch value {
	case "1", "true":
		return true, nil
	case "0", "false":
		return false, nil
	}
	return false, badParameter(name, "must be 1 or 0")
}

func (q query) limit() (int, error) {
	value, given, err := q.text("limit")
	if err != nil || !given {
		return defaultLimit, err
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 1 || n > maxLimit {
		return 0, badParameter("limit", fmt.Sprintf("must be a number from 1 to %d", maxLimit))
	}
	return n, nil
}

// wait is how long the client is ready to wait for a result.
func (q query) wait() (time.Duration, error) {
	value, given, err := q.text("wait")
	if err != nil || !given {
		return 0, err
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 || d > maxTimeout {
		return 0, badParameter("wait", `must be a duration from 0s to 60s, such as "10s"`)
	}
	return d, nil
}

// jobs is the filter of a list of receipts.
func (q query) jobs() (f JobFilter, err error) {
	if f.Limit, err = q.limit(); err != nil {
		return f, err
	}
	status, given, err := q.text("status")
	if err != nil {
		return f, err
	}
	if given {
		if err := f.Status.UnmarshalText([]byte(status)); err != nil {
			return f, badParameter("status", "must be one of "+strings.Join(statusWords(), ", "))
		}
	}
	after, given, err := q.text("after")
	if err != nil {
		return f, err
	}
	if given && !saneRequestID(after) { // a job's id has the same kind of characters
		return f, badParameter("after", `must be the "next" of the page before`)
	}
	f.After = fiscal.JobID(after)
	external, given, err := q.text("external_id")
	if given && err == nil && external == "" {
		err = badParameter("external_id", "must not be empty")
	}
	f.ExternalID = external
	return f, err
}

func statusWords() []string {
	var words []string
	for s := fiscal.JobQueued; s <= fiscal.JobExpired; s++ {
		words = append(words, s.String())
	}
	return words
}

func badParameter(name, what string) error {
	return malformed("invalid_parameter", fmt.Sprintf("The parameter %q %s.", name, what), map[string]any{"parameter": name})
}
