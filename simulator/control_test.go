package simulator

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// call sends one request to the control port and returns the status and the body.
func call(t *testing.T, r *Rack, method, path, body string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	r.Handler().ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
	assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
	return w.Code, w.Body.String()
}

// object decodes a JSON object.
func object(t *testing.T, body string) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &v), body)
	return v
}

func TestControlDevices(t *testing.T) {
	t.Parallel()
	r, _ := listening(t, Options{Devices: 2})
	openTheShift(t, r)
	status, body := call(t, r, http.MethodGet, "/devices", "")
	require.Equal(t, http.StatusOK, status)
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list, 2)
	d := list[0]
	for member, want := range map[string]any{
		"n": 1.0, "address": r.Devices()[0].Address, "serial": "550199000001", "fn": "9999078900000001", "rnm": "0000000001011722",
		"inn": "7704849611", "ffd": "1.05", "documents": 2.0, "clock": "2026-03-14T09:05", "clock_offset": "0s", "temperature": 39.0,
		"power": true, "printer": "none", "ofd": true, "phase": 3.0, "unconfirmed": 2.0, "open_document": 0.0, "faults": []any{},
		"model": "Terminal-FA", "profile": "terminalfa", "service_time": "0s", "remarks": 0.0,
	} {
		assert.Equal(t, want, d[member], member)
	}
	assert.Equal(t, map[string]any{"open": true, "number": 1.0, "receipts": 0.0, "opened_at": "2026-03-14T09:05"}, d["shift"])
	status, body = call(t, r, http.MethodGet, "/devices/2", "")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, 2.0, object(t, body)["n"])
}

func TestControlDocuments(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	openTheShift(t, r)
	must(t, r, 0x23, "")
	must(t, r, 0x2B, tlv(1059, unhex(t, anItem(map[int][]byte{1030: cp866("Кофе 0.2 л"), 1023: {3, 0xDC, 5}, 1079: {0x10, 0x27}}))...))
	must(t, r, 0x2D, payment(map[int][]byte{1192: []byte("0001ABCDEF234567"), 1008: []byte("a@b.c"), 1085: cp866("заказ"), 1086: []byte("7")}))
	must(t, r, 0x24, form150)
	patch(t, r, Patch{Confirm: new(1)})
	status, body := call(t, r, http.MethodGet, "/devices/1/documents", "")
	require.Equal(t, http.StatusOK, status)
	var list []map[string]any
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.Len(t, list, 3)
	assert.Equal(t, "registration", list[0]["kind"])
	assert.Equal(t, true, list[0]["confirmed"])
	d := list[2]
	for member, want := range map[string]any{
		"fd": 3.0, "kind": "receipt", "datetime": "2026-03-14T09:05", "shift_number": 1.0, "receipt_number": 1.0, "operation": "sell",
		"total": 150.0, "tax_system": "usn_income", "stamp": "0001ABCDEF234567", "check_props": "0001ABCDEF234567", "contact": "a@b.c",
		"confirmed": false, "user_props": map[string]any{"name": "заказ", "value": "7"}, "payments": map[string]any{"electronic": 150.0},
		"items": []any{map[string]any{
			"name": "Кофе 0.2 л", "price": 100.0, "quantity": "1.5", "sum": 150.0, "vat": "none", "payment_method": "full_payment", "subject": "commodity",
		}},
	} {
		assert.Equal(t, want, d[member], member)
	}
	assert.Contains(t, body, `"total":150.00`)
	assert.Equal(t, documents(t, r)[2].FP, d["fp"])
	assert.Equal(t, []byte(documents(t, r)[2].TLV), unhex(t, d["tlv"].(string)))
}

// TestStampPlaces: a user attribute of our name goes before 1192, any other after it.
func TestStampPlaces(t *testing.T) {
	t.Parallel()
	for want, tags := range map[string]map[int][]byte{
		"own":   {1192: []byte("check"), 1085: []byte(fiscal.StampName), 1086: []byte("own")},
		"check": {1192: []byte("check"), 1085: []byte("other"), 1086: []byte("user")},
		"user":  {1085: []byte("other"), 1086: []byte("user")},
		"":      {},
	} {
		r := inSituation(t, "receipt with item")
		must(t, r, 0x2D, payment(tags))
		must(t, r, 0x24, form150)
		assert.Equal(t, want, documents(t, r)[2].Stamp)
	}
}

func TestControlPatch(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	status, body := call(t, r, http.MethodPatch, "/devices/1", `{"temperature": 75, "clock_offset": "-90s", "ofd": false, "printer": "no_paper",
		"service_time": "300ms", "hang_document": true, "critical": true, "fn_expires": "2027-06-30", "fn_capacity": 100, "confirm": -1,
		"random_faults": {"probability": 0.25, "kinds": ["rubbish"], "delay": "2s", "command": "document"}}`)
	require.Equal(t, http.StatusOK, status, body)
	d := object(t, body)
	for member, want := range map[string]any{
		"temperature": 75.0, "clock_offset": "-1m30s", "clock": "2026-03-14T09:04", "ofd": false, "printer": "no_paper",
		"service_time": "300ms", "open_document": 2.0, "critical": true, "unconfirmed": 0.0,
		"random_faults": map[string]any{"probability": 0.25, "kinds": []any{"rubbish"}, "delay": "2s", "command": "document"},
	} {
		assert.Equal(t, want, d[member], member)
	}
	assert.Equal(t, []byte{27, 6, 30}, must(t, r, 0x07, "")[:3])
	status, body = call(t, r, http.MethodPatch, "/devices/1", `{"power": false}`)
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, false, object(t, body)["power"])
	status, body = call(t, r, http.MethodPatch, "/devices/1", `{"power": true, "fn": "replace", "temperature_model": true}`)
	require.Equal(t, http.StatusOK, status)
	assert.Equal(t, "9999078901000001", object(t, body)["fn"])
	status, body = call(t, r, http.MethodPatch, "/devices/1", `{}`)
	require.Equal(t, http.StatusOK, status, body)
}

func TestControlFaults(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	status, body := call(t, r, http.MethodPost, "/devices/1/faults", `{"kind": "refuse_code", "command": "0x08", "count": 2, "skip": 1, "code": "16"}`)
	require.Equal(t, http.StatusCreated, status, body)
	assert.JSONEq(t, `{"kind": "refuse_code", "command": "08", "count": 2, "skip": 1, "code": "16"}`, body)
	assert.Equal(t, done, refusedWith(t, r, 0x08, ""))
	assert.Equal(t, shiftTooLong, refusedWith(t, r, 0x08, ""))
	status, body = call(t, r, http.MethodGet, "/devices/1/faults", "")
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, `[{"kind": "refuse_code", "command": "08", "count": 1, "code": "16"}]`, body)
	status, _ = call(t, r, http.MethodPost, "/devices/1/faults", `{"kind": "delay_reply", "command": "document", "delay": "25s"}`)
	assert.Equal(t, http.StatusCreated, status)
	status, body = call(t, r, http.MethodDelete, "/devices/1/faults", "")
	assert.Equal(t, http.StatusOK, status)
	assert.JSONEq(t, `[]`, body)
	assert.Equal(t, done, refusedWith(t, r, 0x08, ""))
	status, body = call(t, r, http.MethodPost, "/devices/1/foreign", `{"total": 99.90}`)
	assert.Equal(t, http.StatusCreated, status)
	assert.JSONEq(t, `{"fd": 3}`, body)
	assert.Equal(t, "99.90", documents(t, r)[2].Total.String())
}

func TestControlMistakes(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{Devices: 2})
	for _, c := range []struct {
		method, path, body string
		status             int
		message            string
	}{
		{"GET", "/", "", 404, "there is no / here"},
		{"GET", "/device", "", 404, "there is no /device here"},
		{"GET", "/devices/", "", 404, "there is no /devices/ here"},
		{"POST", "/devices", "{}", 405, "/devices does not take POST"},
		{"PUT", "/devices/1/faults", "{}", 405, "does not take PUT"},
		{"GET", "/devices/0", "", 404, "no device 0: they are numbered from 1 to 2"},
		{"GET", "/devices/3/documents", "", 404, "no device 3: they are numbered from 1 to 2"},
		{"GET", "/devices/x", "", 404, "no device x: they are numbered from 1 to 2"},
		{"PATCH", "/devices/1", "", 400, "the body must be a JSON object"},
		{"PATCH", "/devices/1", "[]", 400, "the body must be a JSON object"},
		{"PATCH", "/devices/1", `{"temperature": "hot"}`, 400, "temperature"},
		{"PATCH", "/devices/1", `{"temperatur": 1}`, 400, `unknown field "temperatur"`},
		{"PATCH", "/devices/1", `{"temperature": 200}`, 400, "temperature 200, want -128 to 127"},
		{"PATCH", "/devices/1", `{"temperature": 20, "temperature_model": true}`, 400, "exclude each other"},
		{"PATCH", "/devices/1", `{} {}`, 400, "behind the JSON object"},
		{"PATCH", "/devices/1", `{"clock_offset": "1 day"}`, 400, `duration "1 day", want one such as`},
		{"PATCH", "/devices/1", `{"clock_offset": 5}`, 400, "clock_offset"},
		{"PATCH", "/devices/1", `{"clock_offset": "1000000h"}`, 400, "clock offset 1000000h0m0s, want at most"},
		{"PATCH", "/devices/1", `{"printer": "laser"}`, 400, `unknown printer state "laser"`},
		{"PATCH", "/devices/1", `{"fn": "burn"}`, 400, `unknown thing to do with an FN "burn"`},
		{"PATCH", "/devices/1", `{"fn": "insert"}`, 400, "no FN was taken out"},
		{"PATCH", "/devices/1", `{"fn": "remove", "confirm": 1}`, 400, "cannot be taken out and changed at once"},
		{"PATCH", "/devices/1", `{"fn_expires": "30.06.2027"}`, 400, `date "30.06.2027", want one such as`},
		{"PATCH", "/devices/1", `{"fn_capacity": 0}`, 400, "an FN that signs no document"},
		{"PATCH", "/devices/1", `{"confirm": -2}`, 400, "confirm -2 documents"},
		{"PATCH", "/devices/1", `{"power_for": "2s"}`, 400, "power_for goes with power off"},
		{"PATCH", "/devices/1", `{"power": false, "power_for": "0s"}`, 400, "power off for 0s"},
		{"PATCH", "/devices/1", `{"service_time": "-1s"}`, 400, "service time -1s"},
		{"PATCH", "/devices/1", `{"random_faults": {"probability": 7}}`, 400, "probability 7"},
		{"PATCH", "/devices/1", `{"random_faults": {"chance": 7}}`, 400, `unknown field "chance"`},
		{"POST", "/devices/1/faults", `{"kind": "fire"}`, 400, `unknown fault kind "fire", known: [drop_request`},
		{"POST", "/devices/1/faults", `{"kind": "delay_reply"}`, 400, "needs a delay"},
		{"POST", "/devices/1/faults", `{"kind": "refuse_code", "code": "xyz"}`, 400, `code "xyz", want hex`},
		{"POST", "/devices/1/faults", `{"kind": "refuse_code", "code": 300}`, 400, "code 300, want hex"},
		{"POST", "/devices/1/faults", `{"kind": "hang", "command": "receipt"}`, 400, `command "receipt", want "any", "document" or a code`},
		{"POST", "/devices/1/faults", strings.Repeat(" ", 70_000), 413, "a body of more than 65536 bytes"},
		{"POST", "/devices/1/foreign", `{"total": 0}`, 400, "total 0.00 of a foreign receipt"},
		{"POST", "/devices/1/foreign", `{"total": 1.001}`, 400, "too many decimal places"},
	} {
		status, body := call(t, r, c.method, c.path, c.body)
		assert.Equal(t, c.status, status, "%s %s %.60s", c.method, c.path, c.body)
		e, ok := object(t, body)["error"].(map[string]any)
		require.True(t, ok, body)
		assert.Contains(t, e["message"], c.message, "%s %.60s", c.path, c.body)
	}
	d, err := r.Device(1)
	require.NoError(t, err)
	assert.Equal(t, 39, d.Temperature, "nothing was changed by halves")
	patch(t, r, Patch{FN: new(FNRemove)})
	status, body := call(t, r, "PATCH", "/devices/1", `{"hang_document": true}`)
	assert.Equal(t, 400, status)
	assert.Contains(t, body, "the register has no FN in it")
	status, _ = call(t, r, "GET", "/devices/1/documents", "")
	assert.Equal(t, 200, status)
}

func TestControlPort(t *testing.T) {
	t.Parallel()
	r, _ := newRack(t, Options{})
	for _, address := range []string{"0.0.0.0:0", ":0", "192.0.2.1:0", "example.com:0"} {
		_, err := r.ListenControl(t.Context(), address)
		assert.ErrorContains(t, err, "want a loopback address", address)
	}
	_, err := r.ListenControl(t.Context(), "127.0.0.1")
	assert.ErrorContains(t, err, "missing port")
	address, err := r.ListenControl(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	_, err = r.ListenControl(t.Context(), "127.0.0.1:0")
	assert.ErrorContains(t, err, "has a control port already")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + address + "/devices")
	require.NoError(t, err)
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	assert.Contains(t, string(body), `"serial":"550199000001"`)
	require.NoError(t, r.Close())
	_, err = client.Get("http://" + address + "/devices") //nolint:bodyclose // there is none
	assert.Error(t, err)
	_, err = r.ListenControl(t.Context(), "127.0.0.1:0")
	assert.ErrorIs(t, err, ErrClosed)
}
