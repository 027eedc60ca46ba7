package callback

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"

	"frpoold/fiscal"
)

// SignatureHeader carries "sha256=" and the hex HMAC-SHA256 of the body with the integration's param2.
const SignatureHeader = "X-Frpoold-Signature"

const (
	// drained is how much of an answer is read so that the client sees its request taken in full; the rest is dropped.
	drained = 64 << 10
	// answerHeader bounds the header of an answer.
	answerHeader = 32 << 10
)

// Sign is the value of SignatureHeader for a body.
func Sign(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

// newClient makes a client that reaches public addresses only, by itself: a proxy or a kept connection would hide what
// is being called, and a redirect would name another target.
func newClient(o Options) *http.Client {
	d := &net.Dialer{Timeout: o.Timeout}
	if !o.AllowPrivate {
		d.Control = publicOnly
	}
	return &http.Client{ // each request brings its own deadline
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:            d.DialContext,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    o.Timeout,
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: answerHeader,
		},
	}
}

// publicOnly refuses to connect to private networks. It sees the address that is really dialled, after the name was
// looked up, each time.
func publicOnly(_, address string, _ syscall.RawConn) error {
	target, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", errPrivate, address)
	}
	if !Public(target.Addr()) {
		return fmt.Errorf("%w: %s", errPrivate, target.Addr())
	}
	return nil
}

var errPrivate = &AddressError{RulePrivateTarget, "the callback address leads into a private or reserved network"}

// try sends one delivery once. Only a 2xx is a success.
func (s *Sender) try(ctx context.Context, d fiscal.Delivery) error {
	job, err := s.sources.Job(d.Job)
	if err != nil {
		return fmt.Errorf("job %s: %w", d.Job, err)
	}
	secret, err := s.sources.Secret(d.Integration)
	if err != nil {
		return fmt.Errorf("secret of integration %d: %w", d.Integration, err)
	}
	body, err := s.sources.Body(job)
	if err != nil {
		return fmt.Errorf("body: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.opt.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.URL, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	req.Header.Set("User-Agent", "frpoold")
	req.Header.Set(SignatureHeader, Sign(body, secret))
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	// What a client has to say, or breaks off saying, changes nothing: its status was read.
	_, _ = io.CopyN(io.Discard, res.Body, drained)
	switch {
	case res.StatusCode >= 200 && res.StatusCode < 300:
		return nil
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return fmt.Errorf("answered %d: redirects are not followed, give the final address", res.StatusCode)
	default:
		return fmt.Errorf("answered %d", res.StatusCode)
	}
}
