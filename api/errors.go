package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"

	"frpoold/fiscal"
)

// statusError is a failure that belongs to HTTP itself and has no fiscal.Class.
type statusError struct {
	status  int
	code    string
	message string
	details map[string]any
}

func (e *statusError) Error() string { return e.message }

// statusGone is what nginx made customary for a client that went away; nobody reads the answer, only metrics do.
const statusGone = 499

// statusOf is the one mapping of classes to HTTP statuses. 0 says that the class is none of ours.
func statusOf(c fiscal.Class) int {
	switch c {
	case fiscal.ClassMalformed:
		return http.StatusBadRequest
	case fiscal.ClassContent:
		return http.StatusUnprocessableEntity
	case fiscal.ClassUnauthorized:
		return http.StatusUnauthorized
	case fiscal.ClassForbidden:
		return http.StatusForbidden
	case fiscal.ClassNotFound:
		return http.StatusNotFound
	case fiscal.ClassConflict:
		return http.StatusConflict
	case fiscal.ClassTooLarge:
		return http.StatusRequestEntityTooLarge
	case fiscal.ClassTooMany:
		return http.StatusTooManyRequests
	case fiscal.ClassUnreachable:
		return http.StatusBadGateway
	case fiscal.ClassUnavailable:
		return http.StatusServiceUnavailable
	default:
		return 0
	}
}

// statusOfKind is the one mapping of a register's failure to an HTTP status and a code.
func statusOfKind(k fiscal.Kind) (status int, code string) {
	switch k {
	case fiscal.Invalid:
		return http.StatusUnprocessableEntity, "device_cannot_express"
	case fiscal.Refused:
		return http.StatusUnprocessableEntity, "device_refused"
	case fiscal.Busy:
		return http.StatusConflict, "device_busy"
	case fiscal.Attention:
		return http.StatusConflict, "device_needs_attention"
	case fiscal.Offline:
		return http.StatusBadGateway, "device_unreachable"
	case fiscal.Link:
		return http.StatusBadGateway, "device_link_broken"
	case fiscal.Protocol:
		return http.StatusBadGateway, "device_protocol"
	case fiscal.Canceled:
		return http.StatusServiceUnavailable, "canceled"
	case fiscal.Internal:
		return http.StatusInternalServerError, "internal"
	case fiscal.Other:
		return http.StatusBadGateway, "device_error"
	default:
		return http.StatusInternalServerError, "internal"
	}
}

// failure is an error on its way out.
type failure struct {
	status     int
	code       string
	message    string
	details    map[string]any
	retryAfter int // seconds, 0 leaves the header out
}

func internalError(requestID string) failure {
	return failure{status: http.StatusInternalServerError, code: "internal",
		message: "The daemon failed in a way nobody foresaw: its log has the reason under request_id " + requestID + "."}
}

// fail answers an error. What is not the client's doing and not foreseen is logged here and nowhere else.
func (s *Server) fail(c *call, err error) {
	f, known := s.explain(c, err)
	if !known {
		s.log.Error("request failed", "request_id", c.id, "route", c.label, "error", err)
	}
	if c.w.status != 0 { // half an answer is out: the client must not take it for a whole one
		panic(http.ErrAbortHandler)
	}
	s.write(c, f)
}

// explain puts an error into words for the client. known is false for what belongs into the log.
func (s *Server) explain(c *call, err error) (f failure, known bool) {
	var user *fiscal.UserError
	var own *statusError
	var device *fiscal.Error
	switch {
	case errors.As(err, &user) && statusOf(user.Class) != 0:
		if user.Class == fiscal.ClassUnauthorized {
			c.w.Header()["Www-Authenticate"] = []string{`Basic realm="frpoold", charset="UTF-8"`, `Bearer realm="frpoold"`}
		}
		return failure{statusOf(user.Class), user.Code, user.Message, user.Details, user.RetryAfter}, true
	case errors.As(err, &own):
		return failure{own.status, own.code, own.message, own.details, 0}, true
	case errors.As(err, &device):
		return s.explainDevice(c, device)
	case c.r.Context().Err() != nil && errors.Is(err, context.Canceled):
		return failure{status: statusGone, code: "client_gone", message: "The client went away."}, true
	default:
		return internalError(c.id), false
	}
}

func (s *Server) explainDevice(c *call, e *fiscal.Error) (f failure, known bool) {
	status, code := statusOfKind(e.Kind)
	if status == http.StatusInternalServerError {
		return internalError(c.id), false
	}
	message := "The register did not do it: " + e.Error() + "."
	switch e.Effect {
	case fiscal.Unknown:
		message += " It may have done it all the same: look at its last document before trying again."
	case fiscal.Done:
		message = "The register made the document, and then failed: " + e.Error() + "."
	case fiscal.Nothing:
	}
	details := map[string]any{"kind": e.Kind, "effect": e.Effect}
	if e.Device != "" {
		details["eip"] = e.Device
	}
	if e.Code != 0 {
		details["device_code"] = e.Code
	}
	return failure{status: status, code: code, message: message, details: details}, true
}

type errorBody struct {
	Error errorJSON `json:"error"`
}

type errorJSON struct {
	Code    string         `json:"code"`
	Message string         `json:"message"`
	Details map[string]any `json:"details"`
}

func (s *Server) write(c *call, f failure) {
	if f.details == nil {
		f.details = map[string]any{}
	}
	if f.retryAfter > 0 {
		c.w.Header().Set("Retry-After", strconv.Itoa(f.retryAfter))
	}
	body, err := encode(errorBody{errorJSON{f.code, f.message, f.details}})
	if err != nil { // only the details can fail
		body, _ = encode(errorBody{errorJSON{f.code, f.message, map[string]any{}}})
	}
	send(c, f.status, body)
}

// Words for the failures this package finds itself.

func malformed(code, message string, details map[string]any) error {
	return &fiscal.UserError{Class: fiscal.ClassMalformed, Code: code, Message: message, Details: details}
}

func conflict(code, message string, details map[string]any) error {
	return &fiscal.UserError{Class: fiscal.ClassConflict, Code: code, Message: message, Details: details}
}

func notFound(code, message string) error {
	return &fiscal.UserError{Class: fiscal.ClassNotFound, Code: code, Message: message}
}
