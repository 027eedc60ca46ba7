package api

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// bodyRoutes are the routes that read a JSON object, with a body that each takes.
var bodyRoutes = []struct {
	method, target, good string
	optional             bool
}{
	{"POST", "/int/5402/receipts", receiptBody, false},
	{"POST", "/receipts/" + string(operatorJob) + "/resolve", `{"outcome":"made","fd":42}`, false},
	{"POST", "/fcircuit", `{"inn":"7707083893","title":"x"}`, false},
	{"POST", "/fcircuit/7/fr", `{"type":"terminalfa","eip":"a:1"}`, false},
	{"POST", "/fcircuit/7/int", `{"type":"native","param1":"a","param2":"b"}`, false},
	{"PATCH", "/frs/" + idleEIP + "/activate", `{"reason":"x"}`, true},
	{"PATCH", "/frs/" + seedEIP + "/deactivate", `{"reason":"x"}`, true},
	{"PATCH", "/int/5402/activate", `{"reason":"x"}`, true},
	{"PATCH", "/int/5402/deactivate", `{"reason":"x"}`, true},
	{"POST", "/frs/" + seedEIP + "/shift/open", `{"reason":"x"}`, true},
	{"POST", "/frs/" + seedEIP + "/shift/close", `{"reason":"x"}`, true},
	{"POST", "/frs/" + seedEIP + "/clock", `{"reason":"x"}`, true},
	{"POST", "/frs/" + seedEIP + "/report", `{"reason":"x"}`, true},
}

// Every route that takes a body refuses the same bad ones with the same codes, and does nothing.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	for _, route := range bodyRoutes {
		bad := map[string]struct {
			body   string
			status int
			code   string
		}{
			"cut off":        {route.good[:len(route.good)-1], 400, "malformed_json"},
			"no JSON":        {"inn=1&title=2", 400, "malformed_json"},
			"spaces":         {"  \n", 400, "malformed_json"},
			"trailing text":  {route.good + "x", 400, "malformed_json"},
			"two objects":    {route.good + route.good, 400, "malformed_json"},
			"trailing comma": {route.good[:len(route.good)-1] + ",}", 400, "malformed_json"},
			"not UTF-8":      {strings.Replace(route.good, `"`, "\"\xff", 1), 400, "malformed_json"},
			"an array":       {"[" + route.good + "]", 400, "wrong_type"},
			"null":           {"null", 400, "wrong_type"},
			"unknown member": {`{"nonsense":1,` + route.good[1:], 400, "unknown_member"},
			"other case":     {strings.Replace(route.good, `{"`, `{"X`, 1), 400, "unknown_member"},
			"a member twice": {"{" + route.good[1:len(route.good)-1] + "," + route.good[1:], 400, "duplicate_member"},
			"too large":      {`{"reason":"` + strings.Repeat("x", maxBody) + `"}`, 413, "body_too_large"},
		}
		for name, c := range bad {
			t.Run(route.method+" "+route.target+" "+name, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				a := w.do(route.method, route.target, c.body, asNobody).failed(c.status, c.code)
				if c.code == "unknown_member" && name == "unknown member" {
					require.Contains(t, a.at("error", "message"), "nonsense")
					require.Equal(t, "nonsense", a.at("error", "details", "errors", 0, "path"))
				}
				w.untouched()
			})
		}
		t.Run(route.method+" "+route.target+" no body", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			a := w.do(route.method, route.target, "", asNobody)
			if route.optional {
				a.ok(200)
				return
			}
			a.failed(400, "malformed_json")
			w.untouched()
		})
		t.Run(route.method+" "+route.target+" content type", func(t *testing.T) {
			t.Parallel()
			for _, header := range []string{"multipart/form-data; boundary=x", "text/plain", "application/json; charset=windows-1251", ";;"} {
				w := newWorld(t)
				r := localRequest(route.method, route.target, strings.NewReader(route.good))
				r.Header.Set("Content-Type", header)
				w.send(r).failed(415, "unsupported_content_type")
				w.untouched()
			}
			for _, header := range []string{"", "application/json", "Application/JSON; charset=UTF-8", "application/x-www-form-urlencoded"} {
				w := newWorld(t)
				r := localRequest(route.method, route.target, strings.NewReader(route.good))
				r.Header.Set("Content-Type", header)
				require.Less(t, w.send(r).status, 300)
			}
			w := newWorld(t)
			r := localRequest(route.method, route.target, strings.NewReader(route.good))
			r.Header.Set("Content-Encoding", "gzip")
			w.send(r).failed(415, "unsupported_content_encoding")
		})
	}
}

// untouched checks that nothing was changed.
func (w *world) untouched() {
	w.t.Helper()
	require.Empty(w.t, w.jobs.submit.ExternalID)
	require.Empty(w.t, w.jobs.resolved)
	require.Empty(w.t, w.fleet.calls)
	require.Empty(w.t, w.admin.entries())
	for _, call := range w.circuits.calls {
		require.True(w.t, strings.HasPrefix(call, "member "), call)
	}
}

func TestBadMembers(t *testing.T) {
	t.Parallel()
	long := `{"reason":"` + strings.Repeat("я", 1001) + `"}`
	for _, c := range []struct {
		method, target, body string
		status               int
		code, path           string
	}{
		{"POST", "/fcircuit", `{"title":"x"}`, 422, "invalid_content", "inn"},
		{"POST", "/fcircuit", `{}`, 422, "invalid_content", "inn"},
		{"POST", "/fcircuit", `{"inn":5190114620,"title":"x"}`, 400, "wrong_type", "inn"},
		{"POST", "/fcircuit", `{"inn":null,"title":"x"}`, 400, "wrong_type", "inn"},
		{"POST", "/fcircuit", `{"inn":"7707083893","title":["x"]}`, 400, "wrong_type", "title"},
		{"POST", "/fcircuit", `{"inn":"7707083893","title":"x","timezone":3}`, 400, "wrong_type", "timezone"},
		{"POST", "/fcircuit", `{"INN":"7707083893","title":"x"}`, 400, "unknown_member", "INN"},
		{"POST", "/fcircuit", `{"inn":"7707083894","title":"x"}`, 422, "invalid_content", "inn"},
		{"POST", "/fcircuit/7/fr", `{"type":"terminalfa"}`, 422, "invalid_content", "eip"},
		{"POST", "/fcircuit/7/fr", `{"type":"terminalfa","eip":{"host":"a"}}`, 400, "wrong_type", "eip"},
		{"POST", "/fcircuit/7/int", `{"param1":"a","param2":"b"}`, 422, "invalid_content", "type"},
		{"POST", "/fcircuit/7/int", `{"type":"native","param1":"a","param2":true}`, 400, "wrong_type", "param2"},
		{"POST", "/receipts/" + string(operatorJob) + "/resolve", `{"outcome":"made","fd":"42"}`, 400, "wrong_type", "fd"},
		{"POST", "/receipts/" + string(operatorJob) + "/resolve", `{"outcome":"made","fd":4.2}`, 400, "wrong_type", "fd"},
		{"POST", "/receipts/" + string(operatorJob) + "/resolve", `{"outcome":"made","fd":-1}`, 400, "wrong_type", "fd"},
		{"POST", "/receipts/" + string(operatorJob) + "/resolve", `{"outcome":"made","fd":4294967296}`, 400, "wrong_type", "fd"},
		{"POST", "/receipts/" + string(operatorJob) + "/resolve", `{"outcome":1}`, 400, "wrong_type", "outcome"},
		{"PATCH", "/frs/" + idleEIP + "/activate", `{"reason":1}`, 400, "wrong_type", "reason"},
		{"PATCH", "/frs/" + idleEIP + "/activate", long, 422, "invalid_content", "reason"},
		{"PATCH", "/int/5402/activate", long, 422, "invalid_content", "reason"},
	} {
		w := newWorld(t)
		a := w.do(c.method, c.target, c.body, asNobody).failed(c.status, c.code)
		require.Equal(t, c.path, a.at("error", "details", "errors", 0, "path"), c.body)
	}
}

// Paths and queries that mean nothing, with the exact code.
func TestBadPathsAndQueries(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, target string
		status         int
		code           string
	}{
		{"GET", "/", 404, "route_not_found"},
		{"GET", "/nothing", 404, "route_not_found"},
		{"GET", "/frs/", 404, "route_not_found"},
		{"GET", "//frs", 404, "route_not_found"},
		{"GET", "/frs/../frs", 404, "route_not_found"},
		{"POST", "/fcircuit/", 404, "route_not_found"},
		{"GET", "/frs/nobody", 404, "device_not_found"},
		{"GET", "/frs/1.2.3.4:99999", 404, "device_not_found"},
		{"GET", "/frs/%00", 404, "device_not_found"},
		{"GET", "/frs/1.2.3.4:5/exchanges", 404, "device_not_found"},
		{"DELETE", "/frs/1.2.3.4:5", 404, "device_not_found"},
		{"PATCH", "/frs/1.2.3.4:5/activate", 404, "device_not_found"},
		{"PATCH", "/frs/1.2.3.4:5/deactivate", 404, "device_not_found"},
		{"POST", "/frs/1.2.3.4:5/shift/open", 404, "device_not_found"},
		{"POST", "/frs/1.2.3.4:5/clock", 404, "device_not_found"},
		{"GET", "/frs?all=yes", 400, "invalid_parameter"},
		{"GET", "/frs?all", 400, "invalid_parameter"},
		{"GET", "/frs?all=1&all=0", 400, "invalid_parameter"},
		{"GET", "/frs?all=%zz", 400, "invalid_query"},
		{"PATCH", "/frs/" + idleEIP + "/activate?force=please", 400, "invalid_parameter"},
		{"PATCH", "/frs/" + seedEIP + "/deactivate?wait=10s", 400, "invalid_parameter"},
		{"GET", "/fcircuit/1", 404, "circuit_not_found"},
		{"POST", "/fcircuit/5190114620-3/fr", 404, "circuit_not_found"},
		{"POST", "/fcircuit/-1/int", 404, "circuit_not_found"},
		{"POST", "/fcircuit/007/int", 404, "circuit_not_found"},
		{"GET", "/int/x", 404, "integration_not_found"},
		{"GET", "/int/+5402", 404, "integration_not_found"},
		{"DELETE", "/int/99", 404, "integration_not_found"},
		{"PATCH", "/int/99/activate", 404, "integration_not_found"},
		{"PATCH", "/int/x/deactivate", 404, "integration_not_found"},
		{"GET", "/int/99999999999999999999999/receipts", 404, "integration_not_found"},
		{"GET", "/receipts/none", 404, "receipt_not_found"},
		{"GET", "/receipts/%D1%8F", 404, "receipt_not_found"},
		{"DELETE", "/receipts/none", 404, "receipt_not_found"},
		{"GET", "/receipts?status=done", 400, "invalid_parameter"},
		{"GET", "/receipts?status=", 400, "invalid_parameter"},
		{"GET", "/receipts?limit=0", 400, "invalid_parameter"},
		{"GET", "/receipts?limit=1001", 400, "invalid_parameter"},
		{"GET", "/receipts?limit=ten", 400, "invalid_parameter"},
		{"GET", "/receipts?after=%20", 400, "invalid_parameter"},
		{"GET", "/receipts?after=", 400, "invalid_parameter"},
		{"GET", "/receipts?external_id=x", 400, "invalid_parameter"},
		{"GET", "/int/5402/receipts?external_id=", 400, "invalid_parameter"},
		{"GET", "/int/5402/receipts?external_id=a&external_id=b", 400, "invalid_parameter"},
		{"GET", "/receipts/" + string(queuedJob) + "?wait=10", 400, "invalid_parameter"},
		{"GET", "/receipts/" + string(queuedJob) + "?wait=-1s", 400, "invalid_parameter"},
		{"GET", "/receipts/" + string(queuedJob) + "?wait=61s", 400, "invalid_parameter"},
		{"GET", "/receipts/" + string(queuedJob) + "?wait=", 400, "invalid_parameter"},
		{"GET", "/audit?after=x", 400, "invalid_parameter"},
		{"GET", "/audit?after=-1", 400, "invalid_parameter"},
		{"GET", "/audit?limit=-5", 400, "invalid_parameter"},
	} {
		w := newWorld(t)
		a := w.do(c.method, c.target, "", asNobody).failed(c.status, c.code)
		require.Empty(t, a.header.Get("Location"), "%s: nothing redirects", c.target)
		if c.code == "invalid_parameter" {
			require.NotEmpty(t, a.at("error", "details", "parameter"))
		}
	}
}

func TestWrongMethod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for target, allow := range map[string]string{
		"/frs":                          "GET, HEAD",
		"/frs/" + seedEIP:               "DELETE, GET, HEAD",
		"/fcircuit":                     "GET, HEAD, POST",
		"/fcircuit/7/fr":                "POST",
		"/int/5402/receipts":            "GET, HEAD, POST",
		"/frs/" + seedEIP + "/activate": "PATCH",
		"/events":                       "GET",
		"/admin/backup":                 "GET",
	} {
		for _, method := range []string{"PUT", "OPTIONS", "BREW", "TRACE"} {
			a := w.do(method, target, "", asNobody).failed(405, "method_not_allowed")
			require.Equal(t, allow, a.header.Get("Allow"), target)
		}
	}
	w.do("HEAD", "/events", "", asNobody).ok(405)
	w.do("HEAD", "/admin/backup", "", asNobody).ok(405)
}

func TestHead(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do("HEAD", "/frs", "", asNobody).ok(200)
	require.Empty(t, a.body)
	require.Equal(t, "application/json", a.header.Get("Content-Type"))
	require.NotEqual(t, "0", a.header.Get("Content-Length"))
	require.Empty(t, w.do("HEAD", "/frs/nobody", "", asNobody).ok(404).body)
}

// A body that lies about its length is cut at the limit all the same.
func TestBodyLimitWithoutLength(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	r := localRequest("POST", "/fcircuit", strings.NewReader(`{"inn":"`+strings.Repeat("1", maxBody)+`"}`))
	r.ContentLength = -1
	w.send(r).failed(413, "body_too_large")
	exact := `{"reason":"x"}`
	w.do("PATCH", "/int/5402/activate", strings.Repeat(" ", maxBody-len(exact))+exact, asNobody).ok(200)
}
