package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// realClock is for tests over sockets: write deadlines are real.
func realClock(o *Options) { o.Now = time.Now }

// listen opens an event stream over a socket and waits until it is subscribed.
func (w *world) listen() (next func() (string, bool)) {
	w.t.Helper()
	server := httptest.NewServer(w.server.Handler())
	w.t.Cleanup(server.Close)
	ctx, cancel := context.WithCancel(context.Background())
	w.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, "GET", server.URL+"/events", nil)
	require.NoError(w.t, err)
	resp, err := http.DefaultClient.Do(r)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = resp.Body.Close() })
	require.Equal(w.t, 200, resp.StatusCode)
	require.Equal(w.t, "text/event-stream", resp.Header.Get("Content-Type"))
	lines := bufio.NewScanner(resp.Body)
	next = func() (string, bool) {
		var block []string
		for lines.Scan() {
			if lines.Text() == "" {
				return strings.Join(block, "\n"), true
			}
			block = append(block, lines.Text())
		}
		return strings.Join(block, "\n"), false
	}
	hello, ok := next()
	require.True(w.t, ok)
	require.Equal(w.t, "retry: 3000\n: listening", hello)
	return next
}

func TestEventStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t, realClock)
	next := w.listen()
	require.Equal(t, 1, w.events.Clients())
	job, err := w.jobs.Job(operatorJob)
	require.NoError(t, err)
	w.events.Publish(fiscal.Event{At: testNow, Type: fiscal.EventJob, Job: &job, Circuit: 7})
	w.events.Publish(fiscal.Event{At: testNow, Type: fiscal.EventGateClosed, Device: seedEIP, Circuit: 7,
		Gate: &fiscal.Gate{Code: fiscal.GateOffline, Message: "no\nanswer", Since: testNow}})

	first, ok := next()
	require.True(t, ok)
	head, data, _ := strings.Cut(first, "\ndata: ")
	require.Equal(t, "id: 1\nevent: job", head)
	var event map[string]any
	require.NoError(t, json.Unmarshal([]byte(data), &event))
	require.Equal(t, "operator", event["job"].(map[string]any)["status"])
	checkSchema(t, "Event", event)

	second, ok := next()
	require.True(t, ok)
	require.Equal(t, `id: 2
event: gate_closed
data: {"at":"2025-09-18T11:02:07Z","type":"gate_closed","device":"10.55.15.19:10515","circuit":7,"gate":{"code":"offline","message":"no\nanswer","since":"2025-09-18T11:02:07Z"}}`, second)

	w.stop()
	_, ok = next()
	require.False(t, ok, "shutdown ends the stream")
}

// checkSchema validates a value that no route answers with by itself.
func checkSchema(t *testing.T, name string, value any) {
	t.Helper()
	doc := loadDocument(t)
	require.NoError(t, doc.Components.Schemas[name].Value.VisitJSON(value))
}

// watchedWriter is a client whose stream may be read while it is written.
type watchedWriter struct {
	header http.Header
	got    syncBuffer
}

func (w *watchedWriter) Header() http.Header         { return w.header }
func (w *watchedWriter) WriteHeader(int)             {}
func (w *watchedWriter) Flush()                      {}
func (w *watchedWriter) Write(b []byte) (int, error) { return w.got.Write(b) }

// slowWriter is a client that stops reading after its first piece, until it is let go on.
type slowWriter struct {
	watchedWriter
	wrote   int
	stuck   chan struct{}
	release chan struct{}
}

func (w *slowWriter) Write(b []byte) (int, error) {
	if w.wrote++; w.wrote == 2 {
		close(w.stuck)
		<-w.release
	}
	return w.got.Write(b)
}

func TestSlowClientIsDropped(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	slow := &slowWriter{watchedWriter: watchedWriter{header: http.Header{}}, stuck: make(chan struct{}), release: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		w.server.Handler().ServeHTTP(slow, localRequest("GET", "/events", nil))
		close(done)
	}()
	require.Eventually(t, func() bool { return w.events.Clients() == 1 }, 5*time.Second, time.Millisecond)
	w.events.Publish(fiscal.Event{Type: fiscal.EventJob})
	<-slow.stuck // it holds the first event
	for range 4 {
		w.events.Publish(fiscal.Event{Type: fiscal.EventJob})
	}
	require.Zero(t, w.events.Dropped(), "its buffer is just full")
	w.events.Publish(fiscal.Event{Type: fiscal.EventJob})
	require.EqualValues(t, 1, w.events.Dropped())
	require.Zero(t, w.events.Clients())
	close(slow.release)
	<-done
	require.Contains(t, slow.got.String(), "event: dropped\n")
}

func TestIdleStreamHasHeartbeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, realClock)
		ctx, leave := context.WithCancel(context.Background())
		rec := &watchedWriter{header: http.Header{}}
		done := make(chan struct{})
		go func() {
			w.server.Handler().ServeHTTP(rec, localRequest("GET", "/events", nil).WithContext(ctx))
			close(done)
		}()
		time.Sleep(10 * time.Second)
		w.events.Publish(fiscal.Event{Type: fiscal.EventJob})
		time.Sleep(10 * time.Second) // the event counts as a sign of life
		synctest.Wait()
		require.NotContains(t, rec.got.String(), ": idle")
		time.Sleep(5*time.Second + 15*time.Second)
		synctest.Wait()
		require.Equal(t, 2, strings.Count(rec.got.String(), ": idle\n\n"))
		leave()
		<-done
		require.Zero(t, w.events.Clients())
	})
}

func TestEventClientsAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range maxEventClients {
		_, ok := w.events.subscribe()
		require.True(t, ok)
	}
	require.Equal(t, "60", w.get("/events").failed(503, "too_many_event_clients").header.Get("Retry-After"))
}

func TestPublishWithoutClients(t *testing.T) {
	t.Parallel()
	b := NewBroker(0)
	for range 3 * defaultEventBuffer {
		b.Publish(fiscal.Event{})
	}
	require.Zero(t, b.Dropped())
}
