package api

import (
	"bytes"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// FuzzDecodeObject compares the strict reader with encoding/json: what it accepts, json accepts with the same values,
// and what it refuses is a 400 or 422 in our own words.
func FuzzDecodeObject(f *testing.F) {
	for _, seed := range []string{
		`{"outcome":"made","fd":42,"reason":"x"}`, `{"outcome":"\u0041"}`, `{}`, ``, `null`, `[]`, `{"fd":1e3}`, `{"fd":00}`, `{"outcome":"a"} x`,
		`{"outcome":"a","outcome":"b"}`, `{"OUTCOME":"a"}`, `{"outcome":{"a":[1,{"b":null}]}}`, `{"fd":-0}`, "{\"outcome\":\"\xff\"}", `{"outcome":"\ud800"}`,
		`{"outcome" "made"}`, `{"outcome":"made",}`, `{1:2}`, `{"fd":1]`, "\ufeff{}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var outcome, reason string
		var fd *fiscal.DocNumber
		err := decodeObject(body, []member{textMember("outcome", &outcome).must(), numberMember("fd", &fd), textMember("reason", &reason)})
		if err != nil {
			var user *fiscal.UserError
			require.ErrorAs(t, err, &user)
			require.Contains(t, []fiscal.Class{fiscal.ClassMalformed, fiscal.ClassContent}, user.Class)
			require.NotEmpty(t, user.Message)
			return
		}
		var same struct {
			Outcome *string           `json:"outcome"`
			FD      *fiscal.DocNumber `json:"fd"`
			Reason  string            `json:"reason"`
		}
		d := json.NewDecoder(bytes.NewReader(body))
		d.DisallowUnknownFields()
		require.NoError(t, d.Decode(&same))
		require.NotNil(t, same.Outcome)
		require.Equal(t, outcome, *same.Outcome)
		require.Equal(t, reason, same.Reason)
		require.Equal(t, fd, same.FD)
	})
}

// FuzzEIPPath: an eip that is percent-encoded arrives as it was, whatever it holds; any other path gets a proper answer.
func FuzzEIPPath(f *testing.F) {
	for _, seed := range []string{seedEIP, serialEIP, "..", ".", "a/b", "a//b", "%2F", "%", "?", "#", "[::1]:7777", "я", " ", "\x00", "a/../../frs", "+"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, eip string) {
		w := newWorld(t)
		escaped := url.PathEscape(eip)
		r := localRequest("GET", "/frs/"+seedEIP, nil)
		var err error
		r.URL, err = url.ParseRequestURI("/frs/" + escaped)
		require.NoError(t, err)
		w.send(r)
		if eip == "" {
			require.Empty(t, w.circuits.calls)
		} else {
			require.Equal(t, []string{"member " + strconv.Quote(eip)}, w.circuits.calls)
		}
		// The same text unescaped: refused or answered, never a redirect or a 500.
		u, err := url.ParseRequestURI("/frs/" + eip)
		if err != nil {
			return
		}
		r.URL = u
		a := w.send(r)
		require.Contains(t, []int{200, 400, 404, 409}, a.status)
	})
}

// FuzzThroughHandler sends any body to a route that changes something: a proper answer, and never a 500.
func FuzzThroughHandler(f *testing.F) {
	f.Add("POST", "/fcircuit", `{"inn":"7707083893","title":"x"}`)
	f.Add("POST", "/int/5402/receipts", receiptBody)
	f.Add("PATCH", "/frs/x/activate?force=1", `{"reason":"x"}`)
	f.Add("GET", "/receipts?status=made&limit=5&after=x", ``)
	f.Fuzz(func(t *testing.T, method, target, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Path == "/events" || strings.Contains(u.RawQuery, "wait") {
			return
		}
		w := newWorld(t)
		r := localRequest("GET", "/", strings.NewReader(body))
		r.Method, r.URL = method, u
		rec := httptest.NewRecorder()
		w.server.Handler().ServeHTTP(rec, r)
		require.NotZero(t, rec.Code)
		require.NotEqual(t, 500, rec.Code, rec.Body)
		require.NotContains(t, []int{301, 302, 307, 308}, rec.Code)
		if rec.Code >= 400 && rec.Code != 499 && method != "HEAD" {
			var e errorBody
			require.NoError(t, json.Unmarshal(rec.Body.Bytes(), &e))
			require.NotEmpty(t, e.Error.Code)
		}
	})
}
