package api

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

func TestStatusOfEveryClass(t *testing.T) {
	t.Parallel()
	want := map[fiscal.Class]int{
		fiscal.ClassMalformed: 400, fiscal.ClassContent: 422, fiscal.ClassUnauthorized: 401, fiscal.ClassForbidden: 403,
		fiscal.ClassNotFound: 404, fiscal.ClassConflict: 409, fiscal.ClassTooLarge: 413, fiscal.ClassTooMany: 429,
		fiscal.ClassUnreachable: 502, fiscal.ClassUnavailable: 503,
	}
	for c := range fiscal.ClassUnavailable {
		require.Equal(t, want[c+1], statusOf(c+1), "class %d", c+1)
	}
	require.Zero(t, statusOf(0))
	require.Zero(t, statusOf(fiscal.ClassUnavailable+1), "a class was added: give it a status")
}

// Every kind of a register's failure, as the answer of a manual operation.
func TestStatusOfEveryKind(t *testing.T) {
	t.Parallel()
	want := map[fiscal.Kind]struct {
		status int
		code   string
	}{
		fiscal.Other: {502, "device_error"}, fiscal.Invalid: {422, "device_cannot_express"}, fiscal.Refused: {422, "device_refused"},
		fiscal.Busy: {409, "device_busy"}, fiscal.Attention: {409, "device_needs_attention"}, fiscal.Offline: {502, "device_unreachable"},
		fiscal.Link: {502, "device_link_broken"}, fiscal.Protocol: {502, "device_protocol"}, fiscal.Canceled: {503, "canceled"},
		fiscal.Internal: {500, "internal"},
	}
	for k := fiscal.Other; ; k++ {
		if strings.Contains(k.String(), "(") { // past the last word
			require.Len(t, want, int(k))
			break
		}
		w := newWorld(t)
		w.fleet.fail = fmt.Errorf("wrapped: %w", &fiscal.Error{Device: seedEIP, Kind: k, Effect: fiscal.Nothing, Err: errors.New("why")})
		a := w.do("POST", "/frs/"+seedEIP+"/shift/open", "", asNobody).failed(want[k].status, want[k].code)
		if want[k].status != 500 {
			require.Equal(t, k.String(), a.at("error", "details", "kind"))
			require.Equal(t, "nothing", a.at("error", "details", "effect"))
			require.NotContains(t, a.at("error", "message"), "may have done")
		}
	}
	status, code := statusOfKind(200)
	require.Equal(t, http.StatusInternalServerError, status)
	require.Equal(t, "internal", code)
}

func TestErrorOfDocumentThatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fleet.fail = &fiscal.Error{Kind: fiscal.Attention, Effect: fiscal.Done, Err: errors.New("out of paper")}
	a := w.do("POST", "/frs/"+seedEIP+"/report", "", asNobody).failed(409, "device_needs_attention")
	require.Contains(t, a.at("error", "message"), "made the document")
}

// A class nobody mapped is our own mistake: 500, and the log says so.
func TestUnknownClassIsInternal(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.jobs.fail = &fiscal.UserError{Code: "odd", Message: "Odd."}
	w.get("/receipts").failed(500, "internal")
	require.Contains(t, w.logs.String(), "Odd.")
}

func TestDetailsThatCannotBeEncoded(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.jobs.fail = malformed("odd", "Odd.", map[string]any{"f": func() {}})
	require.Equal(t, map[string]any{}, w.get("/receipts").failed(400, "odd").at("error", "details"))
}

func TestPanicIsOneAnswer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.jobs.panics = true
	a := w.get("/receipts/"+string(madeJob)).failed(500, "internal")
	require.NotContains(t, string(a.body), "a bug")
	require.Equal(t, 1, strings.Count(w.logs.String(), "a bug"))
	require.Contains(t, w.logs.String(), "request_id="+a.header.Get("X-Request-Id"))
	w.jobs.panics = false
	w.get("/receipts/" + string(madeJob)).ok(200)
}

// An answer that was begun and cannot be finished is cut off, and its failure is in the log once.
func TestHalfAnAnswerIsCutOff(t *testing.T) {
	t.Parallel()
	for name, late := range map[string]func() error{
		"error": func() error { return errors.New("late failure") },
		"panic": func() error { panic("late failure") },
	} {
		w := newWorld(t)
		handler := w.server.observe(w.server.answer(func(*call) (*route, error) {
			return &route{path: "/late", access: accessPublic, handle: func(_ *Server, c *call) error {
				if err := c.reply(http.StatusOK, []int{1}); err != nil {
					return err
				}
				return late()
			}}, nil
		}))
		require.PanicsWithValue(t, http.ErrAbortHandler, func() {
			handler.ServeHTTP(httptest.NewRecorder(), localRequest("GET", "/late", nil))
		}, name)
		require.Equal(t, 1, strings.Count(w.logs.String(), "late failure"), name)
	}
}
