package api

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// encode writes JSON as people read it: "&" of a receipt's QR text stays "&".
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// reply answers with JSON. Encoding comes first, so that a value that cannot be encoded is still a proper 500.
func (c *call) reply(status int, v any) error {
	body, err := encode(v)
	if err != nil {
		return err
	}
	send(c, status, body)
	return nil
}

// send writes a finished JSON body. A client that went away meanwhile is nobody's failure.
func send(c *call, status int, body []byte) {
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	c.w.WriteHeader(status)
	if c.r.Method != http.MethodHead {
		_, _ = c.w.Write(body)
	}
}

func (c *call) noContent() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// list is a page of a longer list.
type list[T any] struct {
	Items []T     `json:"items"`
	Next  *string `json:"next"` // what to give as ?after, null at the end
}

func newList[T any](items []T, next string) list[T] {
	l := list[T]{Items: items}
	if l.Items == nil {
		l.Items = []T{}
	}
	if next != "" {
		l.Next = &next
	}
	return l
}
