package api

import (
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/circuits"
)

func TestUnknownNameAndWrongPasswordLookTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	unknown := w.do("GET", "/int/5402/receipts", "", asIntegration("nobody", "own-secret")).failed(401, "wrong_credentials")
	wrong := w.do("GET", "/int/5402/receipts", "", asIntegration("own", "guess")).failed(401, "wrong_credentials")
	require.Equal(t, string(unknown.body), string(wrong.body))
	require.Equal(t, unknown.header.Values("WWW-Authenticate"), wrong.header.Values("WWW-Authenticate"))
	require.Equal(t, []string{`Basic realm="frpoold", charset="UTF-8"`, `Bearer realm="frpoold"`}, wrong.header.Values("WWW-Authenticate"))
}

func TestOddCredentials(t *testing.T) {
	t.Parallel()
	for name, header := range map[string][]string{
		"empty":           {""},
		"no scheme":       {operatorToken},
		"other scheme":    {"Digest " + operatorToken},
		"empty bearer":    {"Bearer "},
		"basic not coded": {"Basic own:own-secret"},
		"token twice":     {"Bearer " + operatorToken, "Bearer " + operatorToken},
		"hash as token":   {"Bearer " + hashOf(operatorToken)},
		"token as login":  {basic(operatorToken, "")},
		"empty login":     {basic("", "")},
	} {
		w := newWorld(t, withTokens)
		r := localRequest("GET", "/frs", nil)
		r.Header["Authorization"] = header
		t.Log(name)
		w.send(r).failed(401, "wrong_credentials")
	}
	w := newWorld(t, withTokens)
	w.do("GET", "/frs", "", func(r *http.Request) { r.Header.Set("Authorization", "bearer  "+operatorToken) }).ok(200)
}

func basic(login, password string) string {
	r := localRequest("GET", "/", nil)
	r.SetBasicAuth(login, password)
	return r.Header.Get("Authorization")
}

// An integration without a secret is nobody's way in.
func TestEmptySecretAdmitsNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	w.circuits.integrations = append(w.circuits.integrations, circuits.Integration{ID: 1, Circuit: 7, Type: "atolonline", Param1: "open", Active: true})
	w.do("GET", "/int/1/receipts", "", asIntegration("open", "")).failed(401, "wrong_credentials")
}

// Two integrations of different types may have one login: the password says which is meant, and one that fits both is both.
func TestSharedLogin(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	w.circuits.integrations = append(w.circuits.integrations,
		circuits.Integration{ID: 8, Circuit: 7, Type: "paykeeper", Param1: "own", Param2: "another-secret", Active: true},
		circuits.Integration{ID: 9, Circuit: 7, Type: "atolonline", Param1: "own", Param2: "own-secret", Active: true})
	w.do("GET", "/int/8/receipts", "", own).failed(404, "integration_not_found")
	w.do("GET", "/int/8/receipts", "", asIntegration("own", "another-secret")).ok(200)
	w.do("GET", "/int/5402/receipts", "", asIntegration("own", "another-secret")).failed(404, "integration_not_found")
	w.do("GET", "/int/9/receipts", "", own).ok(200)
	w.do("GET", "/int/5402/receipts", "", own).ok(200)
}

// Somebody who switches an integration off does not lock it out from reading what became of its receipts.
func TestInactiveIntegrationStillReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	w.circuits.integrations[1].Active = false
	w.do("GET", "/receipts/"+string(madeJob), "", own).ok(200)
	w.do("POST", "/int/5402/receipts", receiptBody, own).failed(409, "integration_inactive")
}

func TestTokenCheck(t *testing.T) {
	t.Parallel()
	good := Token{Name: "a", Role: RoleViewer, Hash: hashOf("x")}
	require.NoError(t, good.Check())
	for _, bad := range []Token{
		{Name: "a", Role: "root", Hash: hashOf("x")}, {Name: "a", Hash: hashOf("x")}, {Role: RoleViewer, Hash: hashOf("x")},
		{Name: "a", Role: RoleViewer}, {Name: "a", Role: RoleViewer, Hash: "x"}, {Name: "a", Role: RoleViewer, Hash: hashOf("x")[2:]},
	} {
		require.Error(t, bad.Check())
	}
}

// A list of tokens that are all unusable is not the same as no list.
func TestUnusableTokensAdmitNobody(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *Options) {
		o.Tokens = []Token{{Name: "a", Role: RoleOperator, Hash: "not a hash"}, {Name: "b", Role: "root", Hash: hashOf("b")}}
	})
	w.get("/frs").failed(401, "unauthorized")
	w.do("GET", "/frs", "", asToken("not a hash")).failed(401, "wrong_credentials")
	w.do("GET", "/frs", "", asToken("b")).failed(401, "wrong_credentials")
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func TestFailedLoginsAreLimited(t *testing.T) {
	t.Parallel()
	now := &clock{at: testNow}
	w := newWorld(t, withTokens, func(o *Options) { o.Now = now.now })
	from := func(addr string, who as) as {
		return func(r *http.Request) { who(r); r.RemoteAddr = addr }
	}
	for range failedBurst {
		w.do("GET", "/frs", "", from("198.51.100.7:1", asToken("guess"))).failed(401, "wrong_credentials")
	}
	a := w.do("GET", "/frs", "", from("198.51.100.7:2", asToken("guess"))).failed(429, "too_many_failed_logins")
	require.Equal(t, "2", a.header.Get("Retry-After"))
	// The right token does not tell that it is right, nor does another kind of credentials or a public route get through.
	w.do("GET", "/frs", "", from("198.51.100.7:3", asToken(operatorToken))).failed(429, "too_many_failed_logins")
	w.do("GET", "/healthz", "", from("198.51.100.7:3", own)).failed(429, "too_many_failed_logins")
	// Callers without credentials and other addresses are not held up.
	w.do("GET", "/healthz", "", from("198.51.100.7:3", asNobody)).ok(200)
	w.do("GET", "/frs", "", from("198.51.100.8:3", asToken(operatorToken))).ok(200)
	now.pass(2 * time.Second)
	w.do("GET", "/frs", "", from("198.51.100.7:3", asToken(operatorToken))).ok(200)
}

func TestRightCredentialsAreNotLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	for range 10 * failedBurst {
		w.do("GET", "/healthz", "", asToken(operatorToken)).ok(200)
	}
}

func TestCallerAddress(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		trust     bool
		remote    string
		forwarded []string
		want      string
	}{
		{false, "192.0.2.1:99", []string{"203.0.113.9"}, "192.0.2.1"},
		{true, "192.0.2.1:99", []string{"203.0.113.9"}, "203.0.113.9"},
		{true, "192.0.2.1:99", []string{"1.1.1.1, 203.0.113.9"}, "203.0.113.9"},
		{true, "192.0.2.1:99", []string{"1.1.1.1", "2.2.2.2,203.0.113.9 "}, "203.0.113.9"},
		{true, "192.0.2.1:99", []string{"nonsense"}, "192.0.2.1"},
		{true, "192.0.2.1:99", nil, "192.0.2.1"},
		{true, "[::ffff:192.0.2.1]:99", nil, "192.0.2.1"},
		{false, "@", nil, "invalid IP"},
	} {
		r := localRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		require.Equal(t, c.want, (&authenticator{trust: c.trust}).address(r).String())
	}
}

func TestThrottleMemoryIsBounded(t *testing.T) {
	t.Parallel()
	now := &clock{at: testNow}
	th := newThrottle(now.now)
	victim := netip.MustParseAddr("203.0.113.9")
	for range failedBurst {
		th.failed(victim)
	}
	for i := range 3 * maxThrottled {
		th.failed(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}))
	}
	require.LessOrEqual(t, len(th.buckets), maxThrottled)
	require.Positive(t, th.wait(victim), "a flood of others does not free a guesser")
	now.pass(time.Hour)
	th.failed(netip.MustParseAddr("203.0.113.1"))
	require.Len(t, th.buckets, 1, "full buckets are forgotten")
}

func TestThrottleBucket(t *testing.T) {
	t.Parallel()
	now := &clock{at: testNow}
	th := newThrottle(now.now)
	a, neighbour, far := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8::2"), netip.MustParseAddr("2001:db8:1::1")
	for range 100 * failedBurst { // as many at once as may
		th.failed(a)
	}
	require.Equal(t, failedBurst+2, th.wait(a))
	require.Positive(t, th.wait(neighbour))
	require.Zero(t, th.wait(far))
	now.pass(failedBurst * time.Second)
	require.Positive(t, th.wait(a))
	now.pass(time.Second)
	require.Zero(t, th.wait(a))
}

func TestPagesOfOtherSitesAreKeptOut(t *testing.T) {
	t.Parallel()
	from := func(headers ...string) as {
		return func(r *http.Request) {
			for i := 0; i < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
		}
	}
	target := "/frs/" + seedEIP + "/shift/close"
	for name, c := range map[string]struct {
		tokens  bool
		headers []string
		ok      bool
	}{
		"program":              {false, nil, true},
		"another site":         {false, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"}, false},
		"another site, old":    {false, []string{"Origin", "https://evil.example"}, false},
		"rebound name":         {false, []string{"Origin", "http://rebound.example", "Host", "rebound.example"}, false},
		"a file":               {false, []string{"Origin", "null"}, false},
		"own page":             {false, []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://127.0.0.1:8080"}, true},
		"own page by name":     {false, []string{"Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8080"}, true},
		"console with a token": {true, []string{"Sec-Fetch-Site", "same-origin", "Origin", "https://console.example", "Authorization", "Bearer " + operatorToken}, true},
		"another with a token": {true, []string{"Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Authorization", "Bearer " + operatorToken}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, func(o *Options) {
				if c.tokens {
					withTokens(o)
				}
			})
			who := from(c.headers...)
			a := w.do("POST", target, "", func(r *http.Request) { who(r); r.Host = strings.TrimPrefix(r.Header.Get("Host"), "http://") })
			if c.ok {
				a.ok(200)
				return
			}
			a.failed(403, "cross_origin")
			require.Empty(t, w.fleet.calls)
		})
	}
}

// Many clients at once, while integrations come and go.
func TestLoginsAreSafeForManyGoroutines(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 50 {
				if i == 0 {
					w.server.auth.logins.changed()
				}
				_, ok := w.server.auth.logins.check("own", "own-secret")
				require.True(t, ok)
				_, ok = w.server.auth.logins.check("own", fmt.Sprint(i))
				require.False(t, ok)
			}
		})
	}
	all.Wait()
}
