package api

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

const receiptBody = `{"external_id":"order-1001","operation":"sell","tax_system":"usn_income","customer":{"contact":"buyer@example.com"},
	"items":[{"name":"Кофе 0.2 л","price":150.00,"quantity":1,"sum":150.00,"vat":"none","payment_method":"full_payment","subject":"commodity"}],
	"payments":{"electronic":150.00},"callback_url":"https://shop.example/fiscal","deadline":"2025-09-19T00:00:00+03:00"}`

var own = asIntegration("own", "own-secret")

func TestPostReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	a := w.do("POST", "/int/5402/receipts", receiptBody, own).ok(http.StatusAccepted)
	require.Equal(t, "/receipts/01jnewnewnewnew1", a.header.Get("Location"))
	require.Equal(t, "queued", a.at("status"))
	require.Equal(t, "order-1001", a.at("external_id"))
	require.Contains(t, string(a.body), `"total":150.00`)
	s := w.jobs.submit
	require.Equal(t, ownID, s.Integration)
	require.EqualValues(t, 7, s.Circuit)
	require.Equal(t, "https://shop.example/fiscal", s.CallbackURL)
	require.Len(t, s.Digest, 64)
	require.Equal(t, fiscal.TaxUSNIncome, s.Receipt.TaxSystem)
	require.Equal(t, time.Date(2025, 9, 18, 21, 0, 0, 0, time.UTC), s.Deadline)

	again := w.do("POST", "/int/5402/receipts", receiptBody, own).ok(http.StatusOK)
	require.Equal(t, a.at("id"), again.at("id"))
	require.Equal(t, "/receipts/01jnewnewnewnew1", again.header.Get("Location"))

	w.do("POST", "/int/5402/receipts", strings.ReplaceAll(receiptBody, "150.00", "151.00"), own).failed(409, "external_id_conflict")
}

func TestPostReceiptRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	post := func(id, body string) answer { return w.do("POST", "/int/"+id+"/receipts", body, asNobody) }
	post("5401", receiptBody).failed(409, "integration_not_native")
	post("1", receiptBody).failed(404, "integration_not_found")
	post("x", receiptBody).failed(404, "integration_not_found")
	w.circuits.integrations[1].Active = false
	post("5402", receiptBody).failed(409, "integration_inactive")
	w.circuits.integrations[1].Active = true
	a := post("5402", strings.Replace(receiptBody, `"sum":150.00`, `"sum":149.00`, 1)).failed(422, "receipt_invalid")
	require.Equal(t, "items[0].sum", a.at("error", "details", "errors", 0, "path"))
	a = post("5402", strings.Replace(receiptBody, `"sum":150.00`, `"summ":150.00`, 1)).failed(400, "unknown_member")
	require.Contains(t, a.at("error", "message"), "items[0].summ")
	require.Empty(t, w.jobs.submit.ExternalID, "nothing reached the dispatcher")

	w.jobs.fail = &fiscal.UserError{Class: fiscal.ClassTooMany, Code: "queue_full", Message: "Full.", RetryAfter: 17}
	require.Equal(t, "17", post("5402", receiptBody).failed(429, "queue_full").header.Get("Retry-After"))
	w.jobs.fail = &fiscal.UserError{Class: fiscal.ClassUnavailable, Code: "store_failed", Message: "Disk full.", RetryAfter: 10}
	require.Equal(t, "10", post("5402", receiptBody).failed(503, "store_failed").header.Get("Retry-After"))
}

func TestGetReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	a := w.do("GET", "/receipts/"+string(madeJob), "", own).ok(200)
	require.Equal(t, "2025-09-18T14:02:00+03:00", a.at("fiscal", "datetime"))
	require.Equal(t, "2163948573", a.at("fiscal", "fp"))
	require.EqualValues(t, 42, a.at("fiscal", "fd"))
	require.Contains(t, string(a.body), "t=20250918T1402&s=150.00&fn=", "the QR text stays readable")
	require.Contains(t, string(a.body), `"total":150.00`)
}

func TestPendingCallbacksAreShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin.pending = []fiscal.Delivery{{Tries: 3, NextTry: testNow, LastError: "status 500"}, {Tries: 30}}
	a := w.get("/receipts/" + string(madeJob)).ok(200)
	require.Equal(t, []any{map[string]any{"tries": 3.0, "next_try": "2025-09-18T11:02:07Z", "last_error": "status 500"}, map[string]any{"tries": 30.0, "next_try": nil}}, a.at("callbacks"))
}

// Other merchants' documents may stand in the evidence: people see it, integrations do not, and looking changes nothing.
func TestEvidenceIsForPeople(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	for _, target := range []string{"/receipts/" + string(operatorJob), "/int/5402/receipts?status=operator"} {
		body := string(w.do("GET", target, "", own).ok(200).body)
		require.NotContains(t, body, "01jsomeoneelses1", target)
		require.NotContains(t, body, `"evidence"`, target)
		require.Contains(t, body, `"status":"operator"`, target)
	}
	for _, token := range []string{viewerToken, operatorToken} {
		a := w.do("GET", "/receipts?status=operator", "", asToken(token)).ok(200)
		evidence := a.at("items", 0, "attempts", 0, "evidence").(map[string]any)
		require.Equal(t, "another's", evidence["verdict"])
		require.EqualValues(t, 42, evidence["after"].(map[string]any)["last_fd"])
		require.Equal(t, "01", evidence["exchanges"].([]any)[0].(map[string]any)["request"])
		require.EqualValues(t, 41, a.at("items", 0, "attempts", 0, "baseline", "last_fd"))
		require.Equal(t, "unreadable", a.at("items", 0, "error", "code"))
	}
}

func TestForeignReceiptsDoNotExist(t *testing.T) {
	t.Parallel()
	for _, tokens := range []func(*Options){withTokens, func(*Options) {}} {
		w := newWorld(t, tokens)
		foreign := w.do("GET", "/receipts/"+string(otherJob), "", own).failed(404, "receipt_not_found")
		unknown := w.do("GET", "/receipts/01jnobodynobody1", "", own).failed(404, "receipt_not_found")
		require.Equal(t, string(unknown.body), string(foreign.body))
		w.do("DELETE", "/receipts/"+string(otherJob), "", own).failed(404, "receipt_not_found")
		require.Equal(t, fiscal.JobQueued, w.jobs.jobs[otherJob].State)
		foreign = w.do("GET", "/int/5403/receipts", "", own).failed(404, "integration_not_found")
		unknown = w.do("GET", "/int/1/receipts", "", own).failed(404, "integration_not_found")
		require.Equal(t, string(unknown.body), string(foreign.body))
		w.do("POST", "/int/5403/receipts", receiptBody, own).failed(404, "integration_not_found")
		require.Empty(t, w.jobs.submit.ExternalID)
	}
}

func TestListReceipts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.get("/receipts").ok(200)
	require.Len(t, a.at("items"), 4)
	require.Nil(t, a.at("next"))
	require.Equal(t, JobFilter{Limit: 100}, w.jobs.filter)

	w.jobs.next = "01jnextnextnext1"
	a = w.get("/int/5402/receipts?external_id=order%201&status=in_doubt&after=01jafterafter001&limit=1000").ok(200)
	require.Equal(t, JobFilter{Integration: ownID, ExternalID: "order 1", Status: fiscal.JobInDoubt, After: "01jafterafter001", Limit: 1000}, w.jobs.filter)
	require.Equal(t, []any{}, a.at("items"))
	require.Equal(t, "01jnextnextnext1", a.at("next"))
	w.get("/int/1/receipts").failed(404, "integration_not_found")
}

func TestCancelReceipt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	w.do("DELETE", "/receipts/"+string(queuedJob), "", own).ok(204)
	require.Equal(t, fiscal.JobCanceled, w.jobs.jobs[queuedJob].State)
	require.Empty(t, w.admin.entries(), "an integration's own business")
	w.do("DELETE", "/receipts/"+string(queuedJob), "", own).failed(409, "receipt_not_queued")
	w.do("DELETE", "/receipts/"+string(otherJob), "", asToken(operatorToken)).ok(204)
	require.Equal(t, "receipt.cancel", w.admin.entries()[0].Action)
	require.Equal(t, "anna", w.admin.entries()[0].Actor)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	w := newWorld(t, withTokens)
	post := func(body string) answer {
		return w.do("POST", "/receipts/"+string(operatorJob)+"/resolve", body, asToken(operatorToken))
	}
	a := post(`{"outcome":"made","fd":42,"reason":"seen at the OFD"}`).ok(200)
	require.Equal(t, string(operatorJob), a.at("id"))
	require.Equal(t, `anna `+string(operatorJob)+` made 42 "seen at the OFD"`, w.jobs.resolved)
	post(`{"outcome":"not_made"}`).ok(200)
	require.Equal(t, `anna `+string(operatorJob)+` not_made 0 ""`, w.jobs.resolved)

	w.jobs.resolved = ""
	for body, path := range map[string]string{
		`{"outcome":"made"}`:             "fd",
		`{"outcome":"made","fd":0}`:      "fd",
		`{"outcome":"not_made","fd":42}`: "fd",
		`{"outcome":"perhaps"}`:          "outcome",
		`{"outcome":"Made","fd":42}`:     "outcome",
		`{"fd":42}`:                      "outcome",
		`{"outcome":"not_made","reason":"` + strings.Repeat("я", 1001) + `"}`: "reason",
	} {
		a := post(body).failed(422, "invalid_content")
		require.Equal(t, path, a.at("error", "details", "errors", 0, "path"), body)
	}
	require.Empty(t, w.jobs.resolved)
	w.jobs.fail = conflict("contradicts_archive", "The archive says otherwise.", nil)
	post(`{"outcome":"not_made"}`).failed(409, "contradicts_archive")
}

func TestWaitReturnsAtRest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// At rest already: no waiting, and Wait is not even asked (the channel below would never open).
	w.jobs.rest = make(chan struct{})
	for _, id := range []fiscal.JobID{madeJob, operatorJob} {
		w.get("/receipts/" + string(id) + "?wait=60s").ok(200)
	}
	w.jobs.waiting = make(chan struct{})
	done := w.later("/receipts/" + string(queuedJob) + "?wait=60s")
	<-w.jobs.waiting
	j, err := w.jobs.Job(queuedJob)
	require.NoError(t, err)
	j.State = fiscal.JobExpired
	w.jobs.set(j)
	close(w.jobs.rest)
	require.Equal(t, "expired", (<-done).ok(200).at("status"))
}

func TestWaitEndsInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Equal(t, "queued", w.get("/receipts/"+string(queuedJob)+"?wait=1ms").ok(200).at("status"))
	require.Equal(t, "queued", w.get("/receipts/"+string(queuedJob)+"?wait=0s").ok(200).at("status"))
}

// Whether or not the dispatcher calls the end of the wait an error, the client gets the job as it is.
func TestShutdownEndsWait(t *testing.T) {
	t.Parallel()
	for _, strict := range []bool{false, true} {
		w := newWorld(t)
		w.jobs.strict, w.jobs.waiting = strict, make(chan struct{})
		done := w.later("/receipts/" + string(queuedJob) + "?wait=60s")
		<-w.jobs.waiting
		w.stop()
		require.Equal(t, "queued", (<-done).ok(200).at("status"))
	}
}

func TestClientLeavesDuringWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.jobs.strict, w.jobs.waiting = true, make(chan struct{})
	ctx, leave := context.WithCancel(context.Background())
	r := localRequest("GET", "/receipts/"+string(queuedJob)+"?wait=60s", nil).WithContext(ctx)
	rec := httptest.NewRecorder()
	done := make(chan struct{})
	go func() { w.server.Handler().ServeHTTP(rec, r); close(done) }()
	<-w.jobs.waiting
	leave()
	<-done
	require.Equal(t, statusGone, rec.Code)
	require.NotContains(t, w.logs.String(), "request failed")
}

func TestStoreFailureIsNotShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.jobs.fail = errors.New("bolt: page 17 of /var/lib/secret is broken")
	a := w.get("/receipts").failed(500, "internal")
	require.NotContains(t, string(a.body), "bolt")
	require.Contains(t, a.at("error", "message"), a.header.Get("X-Request-Id"))
	require.Equal(t, 1, strings.Count(w.logs.String(), "page 17"))
}

// The server's own limits do not cut a long poll short: the one for writing would close the connection, the one for
// reading would end the request's context.
func TestWaitOutlivesTheServersTimeouts(t *testing.T) {
	t.Parallel()
	for name, limit := range map[string]func(*http.Server){
		"write": func(s *http.Server) { s.WriteTimeout = 50 * time.Millisecond },
		"read":  func(s *http.Server) { s.ReadTimeout = 50 * time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, realClock)
			w.jobs.strict = true
			server := httptest.NewUnstartedServer(w.server.Handler())
			limit(server.Config)
			server.Start()
			defer server.Close()
			begun := time.Now()
			resp, err := http.Get(server.URL + "/receipts/" + string(queuedJob) + "?wait=150ms")
			require.NoError(t, err)
			defer func() { _ = resp.Body.Close() }()
			require.Equal(t, 200, resp.StatusCode)
			require.GreaterOrEqual(t, time.Since(begun), 150*time.Millisecond)
		})
	}
}
