package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"frpoold/circuits"
	"frpoold/fiscal"
)

var testNow = time.Date(2025, 9, 18, 11, 2, 7, 0, time.UTC)

const (
	operatorToken = "an-operators-token"
	viewerToken   = "a-viewers-token"

	seedEIP   = "10.55.15.19:10515"
	idleEIP   = "10.55.0.96:7777" // inactive
	freshEIP  = "10.0.0.7:7777"   // active, never polled
	serialEIP = "serial:/dev/ttyUSB0?baud=115200"

	ownID   fiscal.IntegrationID = 5402
	otherID fiscal.IntegrationID = 5403

	madeJob     fiscal.JobID = "01jmademademade1" // of ownID
	queuedJob   fiscal.JobID = "01jqueuedqueued1" // of ownID
	operatorJob fiscal.JobID = "01joperatoroper1" // of ownID
	otherJob    fiscal.JobID = "01jotherotherot1" // of otherID
)

// world is a server over fakes.
type world struct {
	t        *testing.T
	circuits *fakeCircuits
	fleet    *fakeFleet
	jobs     *fakeJobs
	admin    *fakeAdmin
	events   *Broker
	registry *prometheus.Registry
	logs     *syncBuffer
	stop     context.CancelFunc
	server   *Server
}

// syncBuffer is a log that may be read while others write it.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

func withTokens(o *Options) {
	o.Tokens = []Token{
		{Name: "anna", Role: RoleOperator, Hash: hashOf(operatorToken)},
		{Name: "grafana", Role: RoleViewer, Hash: hashOf(viewerToken)},
	}
}

// newWorld makes a server with the seed's circuit and device, and a circuit of two native integrations.
func newWorld(t *testing.T, changes ...func(*Options)) *world {
	t.Helper()
	w := &world{
		t: t, circuits: seedCircuits(t), fleet: seedFleet(t), jobs: seedJobs(t), admin: &fakeAdmin{content: "a database"},
		events: NewBroker(4), registry: prometheus.NewRegistry(), logs: &syncBuffer{},
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	w.stop = stop
	o := Options{
		Circuits: w.circuits, Fleet: w.fleet, Jobs: w.jobs, Deliveries: w.admin, Admin: w.admin, Events: w.events,
		Registry: w.registry, Version: "1.2.3", SpoolDir: t.TempDir(), Shutdown: ctx,
		Now: func() time.Time { return testNow },
		Log: slog.New(slog.NewTextHandler(w.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, change := range changes {
		change(&o)
	}
	w.server = New(o)
	return w
}

func seedCircuits(t *testing.T) *fakeCircuits {
	t.Helper()
	const seed, shop = 5346, 7
	idle := func(eip fiscal.DeviceID, typ string) circuits.Member {
		return circuits.Member{ID: eip, Circuit: seed, Type: typ, Family: "auto", AddedAt: testNow}
	}
	active := func(eip fiscal.DeviceID) circuits.Member {
		return circuits.Member{ID: eip, Circuit: shop, Type: "terminalfa", Family: "terminalfa", Active: true, AddedAt: testNow, ActivatedAt: testNow}
	}
	native := func(id fiscal.IntegrationID, login string) circuits.Integration {
		return circuits.Integration{ID: id, Circuit: shop, Type: "native", Param1: login, Param2: login + "-secret", Active: true, CreatedAt: testNow}
	}
	return &fakeCircuits{
		circuits: []circuits.Circuit{
			{ID: seed, Identifier: "5190114620-3", Title: "ООО АлиТест2", Zone: "Europe/Moscow", CreatedAt: testNow},
			{ID: shop, Identifier: "770900467024", Title: "ИП", Zone: "Europe/Moscow", CreatedAt: testNow},
		},
		members: []circuits.Member{
			idle("1.1.1.1:10203", "pkfa12"), idle("1.1.1.1:10204", "pkfa12"), idle("1.1.1.1:10205", "pkfa12"), idle(idleEIP, "terminalfa"),
			active(seedEIP),
		},
		integrations: []circuits.Integration{
			{ID: 5401, Circuit: seed, Type: "paykeeper", Param1: "mpos-vseinstrumenti-test.ru-7e8f7159e40e", Param2: "f3642fb38e", Active: true, CreatedAt: testNow},
			native(ownID, "own"), native(otherID, "other"),
		},
	}
}

func deviceTime(t *testing.T, year, month, day, hour, minute int) fiscal.DeviceTime {
	t.Helper()
	at, ok := fiscal.NewDeviceTime(year, month, day, hour, minute)
	require.True(t, ok)
	return at
}

// seedFleet sees the device of the seed's GET /frs example.
func seedFleet(t *testing.T) *fakeFleet {
	t.Helper()
	hot := 45
	return &fakeFleet{
		views: []*fiscal.DeviceView{{
			ID: seedEIP, Circuit: 7, Type: "terminalfa", SeenAt: testNow, Service: 310 * time.Millisecond, Receipts: 1204,
			Identity: &fiscal.Identity{
				Family: "terminalfa", Model: "Терминал-ФА", Serial: "2000004581", Firmware: "211", FN: "7381440800357213",
				FNExpires: deviceTime(t, 2027, 1, 31, 0, 0), INN: "770900467024", RNM: "0008287390020208", FFD: fiscal.FFD105,
				TaxSystems: fiscal.TaxUSNIncome, Modes: 4,
			},
			Status: &fiscal.Status{
				Clock: deviceTime(t, 2025, 9, 18, 14, 2), ReadAt: testNow, FNPresent: true, Phase: fiscal.PhaseFiscal,
				Document: fiscal.DocumentRef{FN: "7381440800357213", Last: 4711, ShiftOpen: true},
				Shift:    fiscal.ShiftState{Open: true, Number: 12, Receipt: 80, OpenedAt: deviceTime(t, 2025, 9, 18, 8, 0)}, Temperature: &hot,
			},
		}},
		exchanges: []fiscal.Exchange{{At: testNow, Took: time.Millisecond, Command: "08 FN status", Request: fiscal.HexBytes{0xB6, 0x29}, Reply: fiscal.HexBytes{0xB6}, Meaning: "phase=3"}},
		doc: &fiscal.Document{Kind: fiscal.KindShiftOpen, FN: "7381440800357213", Number: 4712, Sign: 77, Time: deviceTime(t, 2025, 9, 18, 14, 3),
			Shift: 13, Full: true},
	}
}

func seedJobs(t *testing.T) *fakeJobs {
	t.Helper()
	job := func(id fiscal.JobID, of fiscal.IntegrationID, state fiscal.JobState) fiscal.Job {
		return fiscal.Job{ID: id, Circuit: 7, Integration: of, ExternalID: "order-" + string(id), Digest: "d", State: state, Operation: fiscal.Sell,
			Total: 15000, CreatedAt: testNow, UpdatedAt: testNow, Deadline: testNow.Add(time.Hour), CallbackURL: "https://shop.example/fiscal"}
	}
	doc := fiscal.Document{Kind: fiscal.KindReceipt, FN: "7381440800357213", Number: 42, Sign: 2163948573, Time: deviceTime(t, 2025, 9, 18, 14, 2),
		Shift: 12, Receipt: 80, Operation: fiscal.Sell, Total: 15000, Marks: fiscal.Marks{CheckProps: "01jsomeoneelses1"}, Full: true}
	made := job(madeJob, ownID, fiscal.JobMade)
	data := fiscal.NewFiscalData(doc, fiscal.Identity{Serial: "2000004581", INN: "770900467024", RNM: "0008287390020208"}, seedEIP, time.FixedZone("", 3*3600))
	made.Fiscal = &data
	made.Attempts = []fiscal.Attempt{{Device: seedEIP, Reason: "the only ready device", StartedAt: testNow, EndedAt: testNow, Result: "made"}}
	stuck := job(operatorJob, ownID, fiscal.JobOperator)
	stuck.Failure = &fiscal.Failure{Code: "unreadable", Message: "the archive cannot be read"}
	stuck.Attempts = []fiscal.Attempt{{
		Device: seedEIP, Reason: "the only ready device", StartedAt: testNow, EndedAt: testNow, Kind: fiscal.Link, Result: "the link broke",
		Baseline: &fiscal.Baseline{FN: doc.FN, Serial: "2000004581", LastFD: 41, Stamp: fiscal.Stamp{Tag: fiscal.StampCheckProps, Value: string(operatorJob)}, At: testNow},
		Evidence: &fiscal.Evidence{After: &fiscal.DocumentRef{FN: doc.FN, Last: 42}, Documents: []fiscal.Document{doc}, Found: &doc, Verdict: "another's",
			Exchanges: []fiscal.Exchange{{At: testNow, Command: "30 find", Request: fiscal.HexBytes{1}, Reply: fiscal.HexBytes{2}}}},
	}}
	all := map[fiscal.JobID]fiscal.Job{}
	for _, j := range []fiscal.Job{made, stuck, job(queuedJob, ownID, fiscal.JobQueued), job(otherJob, otherID, fiscal.JobQueued)} {
		all[j.ID] = j
	}
	return &fakeJobs{jobs: all}
}

// as puts credentials on a request.
type as func(r *http.Request)

func asNobody(*http.Request) {}

func asToken(token string) as {
	return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+token) }
}

func asIntegration(login, password string) as {
	return func(r *http.Request) { r.SetBasicAuth(login, password) }
}

// answer is what came back.
type answer struct {
	t      *testing.T
	status int
	header http.Header
	body   []byte
}

// do sends a request past the network and checks the answer against openapi.yaml.
func (w *world) do(method, target, body string, who as) answer {
	w.t.Helper()
	r := localRequest(method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	who(r)
	return w.send(r)
}

func (w *world) get(target string) answer { w.t.Helper(); return w.do("GET", target, "", asNobody) }

// later sends a GET from a goroutine of its own.
func (w *world) later(target string) <-chan answer {
	done := make(chan answer, 1)
	go func() {
		rec := httptest.NewRecorder()
		w.server.Handler().ServeHTTP(rec, localRequest("GET", target, nil))
		done <- answer{w.t, rec.Code, rec.Header(), rec.Body.Bytes()}
	}()
	return done
}

func (w *world) send(r *http.Request) answer {
	w.t.Helper()
	rec := httptest.NewRecorder()
	w.server.Handler().ServeHTTP(rec, r)
	a := answer{w.t, rec.Code, rec.Header(), rec.Body.Bytes()}
	require.NotEmpty(w.t, a.header.Get("X-Request-Id"))
	checkDocumented(w.t, r, a)
	return a
}

// json is the body as JSON.
func (a answer) json() any {
	a.t.Helper()
	var v any
	require.NoError(a.t, json.Unmarshal(a.body, &v), "%s", a.body)
	return v
}

// at walks into the body: "items", 0, "id".
func (a answer) at(path ...any) any {
	a.t.Helper()
	v := a.json()
	for _, step := range path {
		switch key := step.(type) {
		case string:
			m, ok := v.(map[string]any)
			require.True(a.t, ok, "no object at %v of %v: %s", key, path, a.body)
			require.Contains(a.t, m, key)
			v = m[key]
		case int:
			l, ok := v.([]any)
			require.True(a.t, ok && key < len(l), "no element %d of %v: %s", key, path, a.body)
			v = l[key]
		}
	}
	return v
}

// failed checks that the answer is an error of that status and code.
func (a answer) failed(status int, code string) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "%s", a.body)
	require.Equal(a.t, code, a.at("error", "code"), "%s", a.body)
	require.NotEmpty(a.t, a.at("error", "message"))
	require.IsType(a.t, map[string]any{}, a.at("error", "details"))
	require.Equal(a.t, "application/json", a.header.Get("Content-Type"))
	return a
}

func (a answer) ok(status int) answer {
	a.t.Helper()
	require.Equal(a.t, status, a.status, "%s", a.body)
	return a
}

// strictDocument is openapi.yaml with every object closed to members it does not list, so that an answer with an
// undocumented member fails.
var strictDocument = sync.OnceValues(func() (routers.Router, error) {
	raw, err := openapiJSON()
	if err != nil {
		return nil, err
	}
	var tree any
	if err := json.Unmarshal(raw, &tree); err != nil {
		return nil, err
	}
	closeObjects(tree)
	closed, err := json.Marshal(tree)
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(closed)
	if err != nil {
		return nil, err
	}
	return gorillamux.NewRouter(doc)
})

func closeObjects(node any) {
	switch n := node.(type) {
	case map[string]any:
		_, described := n["properties"].(map[string]any)
		if _, said := n["additionalProperties"]; described && !said && n["type"] == "object" {
			n["additionalProperties"] = false
		}
		for _, child := range n {
			closeObjects(child)
		}
	case []any:
		for _, child := range n {
			closeObjects(child)
		}
	}
}

// checkDocumented validates an answer of a documented route: its status, headers and body. Answers that belong to no
// operation (404 of an unknown path, 405) are left to their own tests.
func checkDocumented(t *testing.T, r *http.Request, a answer) {
	t.Helper()
	if a.status == http.StatusMethodNotAllowed || a.status == http.StatusInternalServerError && len(a.body) == 0 {
		return
	}
	router, err := strictDocument()
	require.NoError(t, err)
	rt, params, err := router.FindRoute(r)
	if err != nil {
		return
	}
	input := &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: rt},
		Status:                 a.status,
		Header:                 a.header,
		Options:                &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: a.header.Get("Content-Type") == ""},
	}
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
		input.SetBodyBytes(a.body)
	} else {
		input.Body = io.NopCloser(bytes.NewReader(nil))
		input.Options.ExcludeResponseBody = true
	}
	require.NoError(t, openapi3filter.ValidateResponse(context.Background(), input), "%s %s: %d %s", r.Method, r.URL, a.status, a.body)
}
