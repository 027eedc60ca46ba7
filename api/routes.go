package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gorilla/mux"

	"frpoold/fiscal"
)

// access is who may call a route.
type access uint8

const (
	accessPublic   access = iota // anybody
	accessRead                   // viewers and operators
	accessOperate                // operators
	accessOwnRead                // viewers, operators, and the integration whose receipts they are
	accessOwnWrite               // operators, and the integration whose receipts they are
)

// handlerFunc answers one call. An error it returns becomes the answer.
type handlerFunc func(s *Server, c *call) error

// route is one line of the table.
type route struct {
	method string
	path   string // the template, also the metrics label
	access access
	handle handlerFunc
	stream bool // takes as long as the client likes: no HEAD, no duration metric
}

// routes is every route there is. The router, openapi.yaml's test and the tests of access all read this table.
var routes = []route{
	{method: "POST", path: "/int/{id}/receipts", access: accessOwnWrite, handle: (*Server).postReceipt},
	{method: "GET", path: "/int/{id}/receipts", access: accessOwnRead, handle: (*Server).listIntegrationReceipts},
	{method: "GET", path: "/receipts", access: accessRead, handle: (*Server).listReceipts},
	{method: "GET", path: "/receipts/{id}", access: accessOwnRead, handle: (*Server).getReceipt},
	{method: "DELETE", path: "/receipts/{id}", access: accessOwnWrite, handle: (*Server).cancelReceipt},
	{method: "POST", path: "/receipts/{id}/resolve", access: accessOperate, handle: (*Server).resolveReceipt},

	{method: "GET", path: "/frs", access: accessRead, handle: (*Server).listDevices},
	{method: "GET", path: "/frs/{eip}", access: accessRead, handle: (*Server).getDevice},
	{method: "DELETE", path: "/frs/{eip}", access: accessOperate, handle: (*Server).removeDevice},
	{method: "GET", path: "/frs/{eip}/exchanges", access: accessRead, handle: (*Server).getExchanges},
	{method: "PATCH", path: "/frs/{eip}/activate", access: accessOperate, handle: (*Server).activateDevice},
	{method: "PATCH", path: "/frs/{eip}/deactivate", access: accessOperate, handle: (*Server).deactivateDevice},
	{method: "POST", path: "/frs/{eip}/shift/open", access: accessOperate, handle: operate(OpShiftOpen)},
	{method: "POST", path: "/frs/{eip}/shift/close", access: accessOperate, handle: operate(OpShiftClose)},
	{method: "POST", path: "/frs/{eip}/clock", access: accessOperate, handle: operate(OpClock)},
	{method: "POST", path: "/frs/{eip}/report", access: accessOperate, handle: operate(OpReport)},

	{method: "GET", path: "/fcircuit", access: accessRead, handle: (*Server).listCircuits},
	{method: "POST", path: "/fcircuit", access: accessOperate, handle: (*Server).createCircuit},
	{method: "GET", path: "/fcircuit/{inn}", access: accessRead, handle: (*Server).getCircuit},
	{method: "POST", path: "/fcircuit/{id}/fr", access: accessOperate, handle: (*Server).addDevice},
	{method: "POST", path: "/fcircuit/{id}/int", access: accessOperate, handle: (*Server).addIntegration},

	{method: "GET", path: "/int/{id}", access: accessRead, handle: (*Server).getIntegration},
	{method: "DELETE", path: "/int/{id}", access: accessOperate, handle: (*Server).removeIntegration},
	{method: "PATCH", path: "/int/{id}/activate", access: accessOperate, handle: switchIntegration(true)},
	{method: "PATCH", path: "/int/{id}/deactivate", access: accessOperate, handle: switchIntegration(false)},

	{method: "GET", path: "/audit", access: accessRead, handle: (*Server).listAudit},
	{method: "GET", path: "/admin/backup", access: accessOperate, handle: (*Server).getBackup, stream: true},
	{method: "GET", path: "/events", access: accessRead, handle: (*Server).streamEvents, stream: true},

	{method: "GET", path: "/healthz", access: accessPublic, handle: (*Server).getHealth},
	{method: "GET", path: "/readyz", access: accessPublic, handle: (*Server).getReady},
	{method: "GET", path: "/metrics", access: accessRead, handle: (*Server).getMetrics},
	{method: "GET", path: "/openapi.json", access: accessPublic, handle: (*Server).getOpenAPI},
}

// router matches on the escaped path, so that an eip with a slash can stand in one segment. Nothing redirects: a
// redirected POST may come back as a GET.
func (s *Server) router() http.Handler {
	m := mux.NewRouter().UseEncodedPath().SkipClean(true).StrictSlash(false)
	byPath := map[string]*resource{}
	for i := range routes {
		path := routes[i].path
		p, known := byPath[path]
		if !known {
			p = &resource{path: path, methods: map[string]*route{}}
			byPath[path] = p
			m.Path(path).Handler(s.answer(p.choose))
		}
		p.methods[routes[i].method] = &routes[i]
	}
	m.NotFoundHandler = s.answer(noRoute)
	return m
}

// resource is the routes of one path.
type resource struct {
	path    string
	methods map[string]*route
}

// choose finds the route of the call's method, or says which methods there are.
func (p *resource) choose(c *call) (*route, error) {
	c.label = p.path
	if r := p.methods[c.r.Method]; r != nil {
		return r, nil
	}
	if r := p.methods[http.MethodGet]; r != nil && c.r.Method == http.MethodHead && !r.stream {
		return r, nil
	}
	allow := p.allow()
	c.w.Header().Set("Allow", strings.Join(allow, ", "))
	return nil, &statusError{http.StatusMethodNotAllowed, "method_not_allowed",
		fmt.Sprintf("This path takes %s, not %s.", strings.Join(allow, ", "), clip(c.r.Method, 32)), map[string]any{"allow": allow}}
}

func (p *resource) allow() []string {
	var list []string
	for method, r := range p.methods {
		list = append(list, method)
		if method == http.MethodGet && !r.stream {
			list = append(list, http.MethodHead)
		}
	}
	slices.Sort(list)
	return list
}

func noRoute(c *call) (*route, error) {
	message := "There is no such route: GET /openapi.json lists them all, and none ends in a slash."
	if strings.HasPrefix(c.r.URL.Path, "/frs/serial:") {
		message = "There is no such route: write the slashes of a serial eip as %2F and its question mark as %3F."
	}
	return nil, &statusError{http.StatusNotFound, "route_not_found", message, nil}
}

// answer runs the route that choose finds: who calls, whether they may, then the handler.
func (s *Server) answer(choose func(*call) (*route, error)) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		c := callOf(r)
		c.r = r // with the path's variables
		if err := s.serve(c, choose); err != nil {
			s.fail(c, err)
		}
	})
}

func (s *Server) serve(c *call, choose func(*call) (*route, error)) error {
	rt, err := choose(c)
	if err != nil {
		return err
	}
	c.stream = rt.stream
	if err := s.checkOrigin(c); err != nil {
		return err
	}
	if c.who, err = s.auth.identify(c.r); err != nil {
		return err
	}
	if err := c.who.may(rt.access); err != nil {
		return err
	}
	return rt.handle(s, c)
}

// pathText is a variable of the path, with its percent encoding undone.
func (c *call) pathText(name string) string {
	raw := mux.Vars(c.r)[name]
	if text, err := url.PathUnescape(raw); err == nil {
		return text
	}
	return raw
}

func (c *call) deviceID() fiscal.DeviceID { return fiscal.DeviceID(c.pathText("eip")) }
