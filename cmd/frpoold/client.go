package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// client speaks to a daemon's HTTP API for demo, load and backup. It sends numbers as they are written: nothing of a
// receipt passes through a float.
type client struct {
	base     string
	user     string // Basic, when set
	password string
	token    string // Bearer, when set
	http     *http.Client
}

// newClient takes the daemon's URL. conns is how many connections are kept open.
func newClient(base string, conns int) (*client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, usageError{fmt.Errorf("--url %q: want something like http://127.0.0.1:8080", base)}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConns, transport.MaxIdleConnsPerHost = conns, conns
	return &client{base: strings.TrimSuffix(base, "/"), http: &http.Client{Transport: transport, Timeout: 2 * time.Minute}}, nil
}

// apiError is an answer that is not the wanted one.
type apiError struct {
	Status     int
	RetryAfter string
	Code       string
	Message    string
}

func (e *apiError) Error() string {
	return fmt.Sprintf("%d %s: %s", e.Status, e.Code, e.Message)
}

// do sends in as JSON, when there is one, and decodes the answer into out, when there is one. Any status above 299 is an
// *apiError.
func (c *client) do(ctx context.Context, method, path string, in, out any) (status int, err error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return 0, err
		}
		body = bytes.NewReader(b)
	}
	resp, err := c.send(ctx, method, path, body)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, resp.Body.Close()) }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return resp.StatusCode, err
	}
	if resp.StatusCode > 299 {
		return resp.StatusCode, readError(resp, b)
	}
	if out == nil {
		return resp.StatusCode, nil
	}
	return resp.StatusCode, json.Unmarshal(b, out)
}

const maxAnswer = 64 << 20

func (c *client) send(ctx context.Context, method, path string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch {
	case c.token != "":
		req.Header.Set("Authorization", "Bearer "+c.token)
	case c.user != "":
		req.SetBasicAuth(c.user, c.password)
	}
	return c.http.Do(req)
}

func readError(resp *http.Response, body []byte) error {
	var answer struct {
		Error struct {
			Code    string          `json:"code"`
			Message string          `json:"message"`
			Details json.RawMessage `json:"details"`
		} `json:"error"`
	}
	e := &apiError{Status: resp.StatusCode, RetryAfter: resp.Header.Get("Retry-After")}
	if err := json.Unmarshal(body, &answer); err != nil || answer.Error.Code == "" {
		e.Code, e.Message = "not_frpoold", "the answer is not one of frpoold's: is the URL right?"
		return e
	}
	e.Code, e.Message = answer.Error.Code, answer.Error.Message
	if len(answer.Error.Details) > 0 {
		e.Message += " " + string(answer.Error.Details)
	}
	return e
}
