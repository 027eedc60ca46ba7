package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"frpoold/fiscal"
)

// Role is what a token allows.
type Role string

// Roles.
const (
	RoleOperator Role = "operator" // everything
	RoleViewer   Role = "viewer"   // reads, with integrations' secrets masked
)

// Token is one entry of the list of people and programs that may call the operator API.
type Token struct {
	Name string // for the audit log
	Role Role
	Hash string // SHA-256 of the token, 64 hex digits; the token itself is kept nowhere
}

// Check says what is wrong with a token's entry. An entry that fails it admits nobody.
func (t Token) Check() error {
	switch t.Role {
	case RoleOperator, RoleViewer:
	default:
		return fmt.Errorf("role %q is unknown: use operator or viewer", t.Role)
	}
	if t.Name == "" {
		return errors.New("the token has no name: the audit log needs one")
	}
	if b, err := hex.DecodeString(t.Hash); err != nil || len(b) != sha256.Size {
		return errors.New("hash is not 64 hex digits: make it with sha256sum of the token without a line end")
	}
	return nil
}

// caller is who makes a request. The zero value is nobody.
type caller struct {
	role         Role // empty: not a person
	name         string
	integrations []fiscal.IntegrationID // whose receipts it may reach
}

var localOperator = caller{role: RoleOperator, name: "local"}

// owns reports whether the receipts of an integration exist for the caller.
func (w caller) owns(id fiscal.IntegrationID) bool {
	return w.role != "" || slices.Contains(w.integrations, id)
}

// may fails with 401 for nobody and with 403 for somebody without the right.
//
//	             read  operate  own read  own write
//	operator      yes     yes       yes       yes
//	viewer        yes      -        yes        -
//	integration    -       -        own       own
//	nobody         -       -         -         -
func (w caller) may(a access) error {
	integration := len(w.integrations) > 0
	var ok bool
	switch a {
	case accessPublic:
		ok = true
	case accessRead:
		ok = w.role != ""
	case accessOperate:
		ok = w.role == RoleOperator
	case accessOwnRead:
		ok = w.role != "" || integration
	case accessOwnWrite:
		ok = w.role == RoleOperator || integration
	}
	switch {
	case ok:
		return nil
	case w.role == "" && !integration:
		return &fiscal.UserError{Class: fiscal.ClassUnauthorized, Code: "unauthorized",
			Message: "This needs credentials: an operator's token as \"Authorization: Bearer …\", or, for an integration's own receipts, its param1 and param2 as user and password."}
	case integration:
		return &fiscal.UserError{Class: fiscal.ClassForbidden, Code: "forbidden",
			Message: "An integration reaches its own receipts only: POST and GET /int/{id}/receipts, GET and DELETE /receipts/{id}."}
	default:
		return &fiscal.UserError{Class: fiscal.ClassForbidden, Code: "forbidden", Message: "The token allows reading only; this needs an operator's token."}
	}
}

// authenticator finds out who calls.
type authenticator struct {
	tokens   []tokenEntry
	open     bool // no tokens are configured: every local caller is an operator
	trust    bool
	logins   *logins
	throttle *throttle
	failures prometheus.Counter
}

type tokenEntry struct {
	hash [sha256.Size]byte
	who  caller
}

func newAuthenticator(o Options, failures prometheus.Counter) *authenticator {
	a := &authenticator{
		open:     len(o.Tokens) == 0,
		trust:    o.TrustForwarded,
		logins:   newLogins(o.Circuits, o.Now),
		throttle: newThrottle(o.Now),
		failures: failures,
	}
	for _, t := range o.Tokens {
		if t.Check() != nil {
			continue
		}
		e := tokenEntry{who: caller{role: t.Role, name: t.Name}}
		_, _ = hex.Decode(e.hash[:], []byte(t.Hash))
		a.tokens = append(a.tokens, e)
	}
	return a
}

// identify checks the credentials of a request. Without any, the caller is nobody, or a local operator while no tokens
// are configured. Wrong ones are 401 whatever the route, and 429 after too many from one address.
func (a *authenticator) identify(r *http.Request) (caller, error) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		if a.open {
			return localOperator, nil
		}
		return caller{}, nil
	}
	from := a.address(r)
	if wait := a.throttle.wait(from); wait > 0 {
		a.failures.Inc()
		return caller{}, &fiscal.UserError{Class: fiscal.ClassTooMany, Code: "too_many_failed_logins",
			Message: "Too many wrong passwords or tokens came from this address: wait, then try again with the right ones.", RetryAfter: wait}
	}
	var who caller
	var ok bool
	if len(values) == 1 {
		who, ok = a.check(r, values[0])
	}
	if !ok {
		a.failures.Inc()
		a.throttle.failed(from)
		return caller{}, &fiscal.UserError{Class: fiscal.ClassUnauthorized, Code: "wrong_credentials",
			Message: "The credentials are wrong: check the token, or the integration's param1 and param2."}
	}
	return who, nil
}

func (a *authenticator) check(r *http.Request, value string) (caller, bool) {
	if login, password, ok := r.BasicAuth(); ok {
		return a.logins.check(login, password)
	}
	scheme, token, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return caller{}, false
	}
	hash := sha256.Sum256([]byte(strings.TrimSpace(token)))
	var who caller
	found := false
	for i := range a.tokens { // all of them: the time must not tell which one nearly fitted
		if subtle.ConstantTimeCompare(hash[:], a.tokens[i].hash[:]) == 1 {
			who, found = a.tokens[i].who, true
		}
	}
	return who, found
}

// address is where a request comes from, as far as failed logins are counted.
func (a *authenticator) address(r *http.Request) netip.Addr {
	if forwarded := r.Header.Values("X-Forwarded-For"); a.trust && len(forwarded) > 0 {
		last := forwarded[len(forwarded)-1]
		if i := strings.LastIndexByte(last, ','); i >= 0 {
			last = last[i+1:]
		}
		if ip, err := netip.ParseAddr(strings.TrimSpace(last)); err == nil {
			return ip.Unmap()
		}
	}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		return at.Addr().Unmap()
	}
	return netip.Addr{}
}

// checkOrigin keeps web pages away. A browser on the daemon's host may be made to post to it by any page; with no tokens
// configured nothing else would stop it. Programs send none of the headers that are looked at.
func (s *Server) checkOrigin(c *call) error {
	refused := &fiscal.UserError{Class: fiscal.ClassForbidden, Code: "cross_origin",
		Message: "A page of another site may not call this: configure tokens and serve the page from the daemon's own address."}
	if s.origin.Check(c.r) != nil {
		return refused
	}
	// A page whose own name was pointed at this host (DNS rebinding) has a fitting Origin, but not a local one.
	if origin := c.r.Header.Get("Origin"); s.auth.open && origin != "" && !localOrigin(origin) {
		return refused
	}
	if s.auth.open && !localName(c.r.Host) {
		return &fiscal.UserError{Class: fiscal.ClassForbidden, Code: "host_not_local",
			Message: "Without tokens the daemon answers only under localhost or an IP address: a web page could point a name of its own at it. Configure tokens to use a name."}
	}
	return nil
}

func localOrigin(origin string) bool {
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	return u.Host != "" && localName(u.Host)
}

// localName reports a host, with or without a port, that is localhost or an address.
func localName(hostport string) bool {
	host := (&url.URL{Host: hostport}).Hostname()
	if host == "" || host == "localhost" {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
