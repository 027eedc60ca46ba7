package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/circuits"
	"frpoold/fiscal"
)

// addActive puts an active device into the world.
func (w *world) addActive(eip fiscal.DeviceID, v *fiscal.DeviceView) {
	w.circuits.members = append(w.circuits.members, circuits.Member{ID: eip, Circuit: 7, Type: "terminalfa", Family: "terminalfa", Active: true, AddedAt: testNow})
	if v != nil {
		v.ID = eip
		w.fleet.views = append(w.fleet.views, v)
	}
}

func TestListDevicesShowsActiveOnes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Len(t, w.get("/frs").ok(200).json(), 1)
	require.Len(t, w.get("/frs?all=0").ok(200).json(), 1)
	all := w.get("/frs?all=1").ok(200)
	require.Len(t, all.json(), 5)
	require.EqualValues(t, 0, all.at(0, "is_active"))
	require.Equal(t, false, all.at(0, "ready"))
	require.Equal(t, "inactive", all.at(0, "reasons", 0, "code"))
	require.Nil(t, all.at(0, "reasons", 0, "since"))
	require.EqualValues(t, 1, all.at(4, "is_active"))
}

func TestNoDevicesIsAnEmptyArray(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.circuits.members = nil
	require.JSONEq(t, `[]`, string(w.get("/frs").ok(200).body))
}

// Everything beside the seed's members, and the whole of a device that was never polled: nothing is invented.
func TestDeviceNeverPolled(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addActive(freshEIP, nil)
	require.JSONEq(t, `{
		"eip": "10.0.0.7:7777", "sn": null, "timestamp": null, "mcu_temperature": null,
		"fs": {"inn": null, "rnm": null, "phase": null, "sn": null, "flags": null, "shift_is_open": null,
			"ofd": {"number": null, "fd_first": null, "fd_first_timestamp": null},
			"mode": null, "tax_system": null, "agent": null, "current_document": null},
		"type": "terminalfa", "circuit_id": 7, "is_active": 1, "ready": false,
		"reasons": [{"code": "offline", "message": "The device has not answered yet since it was activated or the daemon started.", "since": null}],
		"seen_at": null, "working": false, "queue": 7, "service_ms": null, "receipts": 0, "family": "terminalfa", "model": null,
		"firmware": null, "ffd": null, "last_fd": null, "fn_expires": null, "test_fn": false, "printer": null, "shift": null
	}`, string(w.get("/frs/"+freshEIP).ok(200).body))
}

func TestDeviceExtraMembers(t *testing.T) {
	t.Parallel()
	a := newWorld(t).get("/frs/" + seedEIP).ok(200)
	for member, want := range map[string]any{
		"type": "terminalfa", "circuit_id": 7.0, "is_active": 1.0, "ready": true, "seen_at": "2025-09-18T11:02:07Z", "working": false,
		"queue": 7.0, "service_ms": 310.0, "receipts": 1204.0, "family": "terminalfa", "model": "Терминал-ФА", "firmware": "211",
		"ffd": "1.05", "last_fd": 4711.0, "fn_expires": "2027-01-31", "test_fn": false, "printer": 0.0,
	} {
		require.Equal(t, want, a.at(member), member)
	}
	require.Equal(t, []any{}, a.at("reasons"))
	require.Equal(t, map[string]any{"number": 12.0, "receipt": 80.0, "opened_at": "2025-09-18T08:00"}, a.at("shift"))
}

func TestDeviceOFDQueue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		queue fiscal.OFDQueue
		want  map[string]any
	}{
		"empty":          {fiscal.OFDQueue{}, map[string]any{"number": 0.0, "fd_first": 0.0, "fd_first_timestamp": "Invalid date"}},
		"empty with old": {fiscal.OFDQueue{First: 9, FirstTime: deviceTime(t, 2025, 1, 2, 3, 4)}, map[string]any{"number": 0.0, "fd_first": 0.0, "fd_first_timestamp": "Invalid date"}},
		"three":          {fiscal.OFDQueue{Count: 3, First: 9, FirstTime: deviceTime(t, 2025, 1, 2, 3, 4)}, map[string]any{"number": 3.0, "fd_first": 9.0, "fd_first_timestamp": "02.01.2025 03:04"}},
		"time unknown":   {fiscal.OFDQueue{Count: 3, First: 9}, map[string]any{"number": 3.0, "fd_first": 9.0, "fd_first_timestamp": "Invalid date"}},
	} {
		w := newWorld(t)
		w.fleet.views[0].Status.OFD = c.queue
		require.Equal(t, c.want, w.get("/frs/"+seedEIP).ok(200).at("fs", "ofd"), name)
	}
}

func TestDeviceClosedGates(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.fleet.views[0]
	v.Gates = []fiscal.Gate{{Code: fiscal.GateTooHot, Message: "71 °C", Since: testNow}, {Code: fiscal.GateClockSkew, Message: "wrong"}}
	v.Status.Temperature = nil
	v.Identity.FN = "9999078900001234"
	a := w.get("/frs/" + seedEIP).ok(200)
	require.Equal(t, false, a.at("ready"))
	require.Nil(t, a.at("mcu_temperature"))
	require.Equal(t, true, a.at("test_fn"))
	require.Equal(t, []any{
		map[string]any{"code": "too_hot", "message": "71 °C", "since": "2025-09-18T11:02:07Z"},
		map[string]any{"code": "clock_skew", "message": "wrong", "since": nil},
	}, a.at("reasons"))
}

func TestInactiveDeviceIsNotWatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.get("/frs/"+idleEIP).failed(http.StatusConflict, "device_inactive")
	w.get("/frs/"+idleEIP+"/exchanges").failed(http.StatusConflict, "device_inactive")
	for _, op := range []string{"shift/open", "shift/close", "clock", "report"} {
		w.do("POST", "/frs/"+idleEIP+"/"+op, "", asNobody).failed(http.StatusConflict, "device_inactive")
	}
	require.Empty(t, w.fleet.calls)
}

func TestSerialEIPWorksPercentEncoded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.addActive(serialEIP, nil)
	for _, spelling := range []string{url.PathEscape(serialEIP), "serial%3A%2Fdev%2FttyUSB0%3Fbaud%3D115200", "serial:%2fdev%2fttyUSB0%3fbaud=115200"} {
		require.Equal(t, serialEIP, w.get("/frs/"+spelling).ok(200).at("eip"), spelling)
		w.do("POST", "/frs/"+spelling+"/shift/open", "", asNobody).ok(200)
		w.do("PATCH", "/frs/"+spelling+"/activate", "", asNobody).ok(200)
	}
	a := w.get("/frs/serial:/dev/ttyUSB0").failed(404, "route_not_found")
	require.Contains(t, a.at("error", "message"), "%2F")
}

func TestExchanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.get("/frs/" + seedEIP + "/exchanges").ok(200)
	require.Equal(t, "B6 29", a.at("recent", 0, "request"))
	require.Equal(t, []any{}, a.at("failed"))
	w.addActive(freshEIP, nil)
	require.Equal(t, []any{}, w.get("/frs/"+freshEIP+"/exchanges").ok(200).at("recent"))
}

func TestActivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.circuits.ignored = []string{"fn_phase"}
	a := w.do("PATCH", "/frs/"+idleEIP+"/activate?force=1", `{"reason":"spare"}`, asNobody).ok(200)
	require.Equal(t, `activate local `+idleEIP+` force=true "spare"`, w.circuits.lastCall())
	require.Equal(t, []any{"fn_phase"}, a.at("ignored"))
	require.Equal(t, []any{"fn_phase"}, a.at("forced"))
	require.EqualValues(t, 1, a.at("is_active"))

	w.circuits.ignored = nil
	a = w.do("PATCH", "/frs/"+idleEIP+"/activate", "", asNobody).ok(200)
	require.Equal(t, `activate local `+idleEIP+` force=false ""`, w.circuits.lastCall())
	require.Equal(t, []any{}, a.at("ignored"))
}

func TestActivateRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.circuits.fail = conflict("activation_refused", "Wrong taxpayer.", map[string]any{"reasons": []fiscal.ContentError{{Path: "inn", Code: "wrong_inn", Message: "x"}}})
	a := w.do("PATCH", "/frs/"+idleEIP+"/activate", "", asNobody).failed(409, "activation_refused")
	require.Equal(t, "wrong_inn", a.at("error", "details", "reasons", 0, "code"))
	w.circuits.fail = &fiscal.UserError{Class: fiscal.ClassUnreachable, Code: "device_unreachable", Message: "No answer."}
	w.do("PATCH", "/frs/"+idleEIP+"/activate", "", asNobody).failed(502, "device_unreachable")
}

func TestDeactivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	a := w.do("PATCH", "/frs/"+seedEIP+"/deactivate", `{"reason":"a new storage"}`, asNobody).ok(200)
	require.Equal(t, `deactivate local `+seedEIP+` wait=true "a new storage"`, w.circuits.lastCall())
	require.Equal(t, true, a.at("drained"))
	require.EqualValues(t, 0, a.at("is_active"))

	w.circuits.draining = true
	a = w.do("PATCH", "/frs/"+seedEIP+"/deactivate?wait=0", "", asNobody).ok(202)
	require.Equal(t, `deactivate local `+seedEIP+` wait=false ""`, w.circuits.lastCall())
	require.Equal(t, false, a.at("drained"))
}

func TestShutdownEndsDeactivate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.circuits.block = make(chan struct{})
	w.stop()
	a := w.do("PATCH", "/frs/"+seedEIP+"/deactivate", "", asNobody).ok(202)
	require.Equal(t, false, a.at("drained"))
}

func TestRemoveDevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.Empty(t, w.do("DELETE", "/frs/"+idleEIP, "", asNobody).ok(204).body)
	w.circuits.fail = conflict("device_in_doubt", "It holds a job.", nil)
	w.do("DELETE", "/frs/"+idleEIP, "", asNobody).failed(409, "device_in_doubt")
}

func TestManualOperations(t *testing.T) {
	t.Parallel()
	for path, op := range map[string]string{"shift/open": "shift_open", "shift/close": "shift_close", "clock": "clock", "report": "report"} {
		w := newWorld(t, withTokens)
		a := w.do("POST", "/frs/"+seedEIP+"/"+path, `{"reason":"end of day"}`, asToken(operatorToken)).ok(200)
		require.Equal(t, []string{seedEIP + " " + op}, w.fleet.calls)
		require.Equal(t, op, a.at("operation"))
		detail := "fn 7381440800357213, fd 4712"
		if op == OpClock {
			require.Nil(t, a.at("document"))
			detail = "done"
		} else {
			require.EqualValues(t, 4712, a.at("document", "fd"))
		}
		require.Equal(t, []fiscal.AuditEntry{{Seq: 1, At: testNow, Actor: "anna", Action: "device." + op, Target: seedEIP, Reason: "end of day", Detail: detail}}, w.admin.entries())
	}
}

func TestManualOperationFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fleet.fail = &fiscal.Error{Op: "terminalfa.CloseShift", Device: seedEIP, Kind: fiscal.Link, Code: 3, Err: errors.New("reset by peer")}
	a := w.do("POST", "/frs/"+seedEIP+"/shift/close", "", asNobody).failed(502, "device_link_broken")
	require.Equal(t, map[string]any{"eip": seedEIP, "kind": "link", "effect": "unknown", "device_code": 3.0}, a.at("error", "details"))
	require.Contains(t, a.at("error", "message"), "may have done it")
	require.Contains(t, w.admin.entries()[0].Detail, "failed (effect unknown)")

	w.fleet.fail = conflict("shift_closed", "The shift is closed.", nil)
	w.do("POST", "/frs/"+seedEIP+"/shift/close", "", asNobody).failed(409, "shift_closed")
	w.fleet.fail = context.DeadlineExceeded
	w.do("POST", "/frs/"+seedEIP+"/shift/close", "", asNobody).failed(500, "internal")
}

// A document that was made is reported even when the audit log cannot take the entry; the daemon's log has it.
func TestManualOperationWithoutAuditLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.admin.fail = errors.New("disk full")
	w.do("POST", "/frs/"+seedEIP+"/shift/open", "", asNobody).ok(200)
	require.Contains(t, w.logs.String(), "audit entry lost")
	require.Contains(t, w.logs.String(), "fd 4712")
}
