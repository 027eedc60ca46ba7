package callback

import (
	"context"
	"crypto/x509"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// HMAC-SHA256 test case 2 of RFC 4231.
func TestSign(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		Sign([]byte("what do ya want for nothing?"), "Jefe"))
}

func try(t *testing.T, o Options, d fiscal.Delivery) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	return newSender(t, newOutbox(), o).try(ctx, d)
}

func TestTryPosts(t *testing.T) {
	t.Parallel()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, http.MethodPost, r.Method)
		assert.Equal(t, "/cb?order=1", r.RequestURI)
		assert.Equal(t, `{"id":"job-1"}`, string(body))
		assert.Equal(t, Sign(body, "f3642fb38e"), r.Header.Get(SignatureHeader))
		assert.Equal(t, "application/json; charset=utf-8", r.Header.Get("Content-Type"))
		assert.Equal(t, "frpoold", r.UserAgent())
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(srv.Close)
	assert.NoError(t, try(t, Options{AllowPrivate: true}, delivery(1, srv.URL+"/cb?order=1", time.Now())))
}

func TestTryFails(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 10)
	mux := http.NewServeMux()
	mux.HandleFunc("/500", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	mux.HandleFunc("/302", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/target", http.StatusFound) })
	mux.HandleFunc("/307", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/target", http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/target", func(_ http.ResponseWriter, r *http.Request) { reached <- r.URL.Path })
	mux.HandleFunc("/header", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Long", strings.Repeat("x", 2*answerHeader))
	})
	mux.HandleFunc("/silent", func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // the server notices a client that left only then
		<-r.Context().Done()
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	tls := httptest.NewTLSServer(mux)
	t.Cleanup(tls.Close)

	for name, tt := range map[string]struct {
		url  string
		opt  Options
		want string
	}{
		"answered":   {srv.URL + "/500", Options{AllowPrivate: true}, "answered 500"},
		"redirected": {srv.URL + "/302", Options{AllowPrivate: true}, "answered 302: redirects are not followed, give the final address"},
		"kept":       {srv.URL + "/307", Options{AllowPrivate: true}, "answered 307: redirects are not followed, give the final address"},
		"header":     {srv.URL + "/header", Options{AllowPrivate: true}, "server response headers exceeded"},
		"silent":     {srv.URL + "/silent?token=s3cret", Options{AllowPrivate: true, Timeout: 50 * time.Millisecond}, "no answer in time: context deadline exceeded"},
		"private":    {srv.URL + "/500", Options{}, "private or reserved network: 127.0.0.1"},
		"resolved":   {strings.Replace(srv.URL, "127.0.0.1", "localhost", 1) + "/500?token=s3cret", Options{}, "private or reserved network"},
		"untrusted":  {tls.URL + "/target", Options{AllowPrivate: true}, "failed to verify certificate"},
		"no URL":     {"https://shop.example/%zz", Options{}, "invalid URL escape"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := try(t, tt.opt, delivery(1, tt.url, time.Now()))
			require.Error(t, err)
			assert.Contains(t, plain(err), tt.want)
			assert.NotContains(t, plain(err), "s3cret", "an address may hold a client's secret")
		})
	}
	t.Cleanup(func() { assert.Empty(t, reached, "no redirect was followed") })
}

func TestTryOverTLS(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	s := newSender(t, newOutbox(), Options{AllowPrivate: true})
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	s.client.Transport.(*http.Transport).TLSClientConfig.RootCAs = roots
	assert.NoError(t, s.try(t.Context(), delivery(1, srv.URL, time.Now())))
}

// An answer without an end does not hold the sender: its status has been read.
func TestTryDrainsALittle(t *testing.T) {
	t.Parallel()
	sent := make(chan int, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n := 0
		for block := make([]byte, 4096); r.Context().Err() == nil && n < 1<<30; {
			m, err := w.Write(block)
			n += m
			if err != nil {
				break
			}
		}
		sent <- n
	}))
	t.Cleanup(srv.Close)
	assert.NoError(t, try(t, Options{AllowPrivate: true}, delivery(1, srv.URL, time.Now())))
	assert.Less(t, <-sent, 1<<28, "the connection was closed")
}

func TestTryWithoutSources(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		job  fiscal.JobID
		int  fiscal.IntegrationID
		want string
	}{
		{"gone", 7, "job gone: no such job"},
		{"job-1", 404, "secret of integration 404: no such integration"},
		{"mute", 7, "body: no words"},
	} {
		d := delivery(1, "https://shop.example/", time.Now())
		d.Job, d.Integration = tt.job, tt.int
		assert.EqualError(t, try(t, Options{}, d), tt.want)
	}
}

// The whole way over a real socket: an error first, then success, and the outbox is empty.
func TestRunDelivers(t *testing.T) {
	t.Parallel()
	heard := make(chan string, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heard <- string(body)
	}))
	t.Cleanup(srv.Close)
	box := newOutbox()
	s := newSender(t, box, Options{AllowPrivate: true})
	stop := run(t, s)
	box.add(delivery(1, srv.URL+"/cb", time.Now()))
	s.Kick()
	assert.Equal(t, `{"id":"job-1"}`, <-heard)
	stop()
	assert.Equal(t, []uint64{1}, box.delivered())
}
