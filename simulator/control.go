package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"

	"frpoold/fiscal"
)

// controlServer is the rack's HTTP port.
type controlServer struct {
	http *http.Server
	done chan struct{}
}

// ListenControl opens the control port on a loopback address and returns where it listens. It is closed with the rack.
// Whoever reaches it can do anything to the rack, so an address others could reach is refused.
func (r *Rack) ListenControl(ctx context.Context, address string) (string, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", fmt.Errorf("simulator: control port: %w", err)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return "", fmt.Errorf("simulator: control port %s: want a loopback address such as 127.0.0.1:17000", address)
	}
	l, err := listen(ctx, address)
	if err != nil {
		return "", fmt.Errorf("simulator: control port: %w", err)
	}
	c := &controlServer{
		http: &http.Server{Handler: r.Handler(), ReadHeaderTimeout: 10 * time.Second},
		done: make(chan struct{}),
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || r.control != nil {
		_ = l.Close() //nolint:errcheck // nothing was accepted on it
		if r.closed {
			return "", ErrClosed
		}
		return "", errors.New("simulator: the rack has a control port already")
	}
	r.control = c
	go func() {
		defer close(c.done)
		if err := c.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			r.log.Error("the control port ended", "error", err)
		}
	}()
	return l.Addr().String(), nil
}

func (c *controlServer) close() error {
	err := c.http.Close()
	<-c.done
	return err
}

// controlRoutes are the paths of the control port and their methods.
var controlRoutes = map[string]map[string]func(*Rack, *http.Request) (any, error){
	"/devices": {
		http.MethodGet: (*Rack).getDevices,
	},
	"/devices/{n}": {
		http.MethodGet:   (*Rack).getDevice,
		http.MethodPatch: (*Rack).patchDevice,
	},
	"/devices/{n}/documents": {
		http.MethodGet: (*Rack).getDocuments,
	},
	"/devices/{n}/faults": {
		http.MethodGet:    (*Rack).getFaults,
		http.MethodPost:   (*Rack).postFault,
		http.MethodDelete: (*Rack).deleteFaults,
	},
	"/devices/{n}/foreign": {
		http.MethodPost: (*Rack).postForeign,
	},
}

// Handler is the control port without its listener (design.md §10). Devices are numbered from 1.
//
//	GET    /devices                every register
//	GET    /devices/{n}            one
//	PATCH  /devices/{n}            temperature, clock_offset, ofd, power, printer, service_time, fn, hang_document, …
//	GET    /devices/{n}/documents  the archive of its FN, oldest first
//	GET    /devices/{n}/faults     the faults laid on it
//	POST   /devices/{n}/faults     lays one
//	DELETE /devices/{n}/faults     takes all off
//	POST   /devices/{n}/foreign    another host makes a receipt: {"total": 150.00}
func (r *Rack) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, methods := range controlRoutes {
		mux.HandleFunc(path, func(w http.ResponseWriter, req *http.Request) {
			handle, ok := methods[req.Method]
			if !ok {
				answerError(w, &controlError{http.StatusMethodNotAllowed, fmt.Sprintf("%s does not take %s", path, req.Method)})
				return
			}
			req.Body = http.MaxBytesReader(w, req.Body, maxBody)
			v, err := handle(r, req)
			if err != nil {
				answerError(w, err)
				return
			}
			status := http.StatusOK
			if req.Method == http.MethodPost {
				status = http.StatusCreated
			}
			answerJSON(w, status, v)
		})
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, req *http.Request) {
		answerError(w, &controlError{http.StatusNotFound, fmt.Sprintf("there is no %s here; begin with GET /devices", req.URL.Path)})
	})
	return mux
}

// number reads the {n} of the path.
func (r *Rack) number(req *http.Request) (int, error) {
	text := req.PathValue("n")
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > len(r.devices) {
		return 0, &controlError{http.StatusNotFound, fmt.Sprintf("no device %s: they are numbered from 1 to %d", text, len(r.devices))}
	}
	return n, nil
}

func (r *Rack) getDevices(*http.Request) (any, error) { return r.Devices(), nil }

func (r *Rack) getDevice(req *http.Request) (any, error) {
	n, err := r.number(req)
	if err != nil {
		return nil, err
	}
	return r.Device(n)
}

func (r *Rack) getDocuments(req *http.Request) (any, error) {
	n, err := r.number(req)
	if err != nil {
		return nil, err
	}
	return r.Documents(n)
}

func (r *Rack) getFaults(req *http.Request) (any, error) {
	n, err := r.number(req)
	if err != nil {
		return nil, err
	}
	d, err := r.Device(n)
	return d.Faults, err
}

func (r *Rack) patchDevice(req *http.Request) (any, error) {
	n, err := r.number(req)
	if err != nil {
		return nil, err
	}
	var p Patch
	if err := readJSON(req, &p); err != nil {
		return nil, err
	}
	if err := r.Patch(n, p); err != nil {
		return nil, badRequest(err)
	}
	return r.Device(n)
}

func (r *Rack) postFault(req *http.Request) (any, error) {
	n, err := r.number(req)
	if err != nil {
		return nil, err
	}
	var f Fault
	if err := readJSON(req, &f); err != nil {
		return nil, err
	}
	if err := r.Inject(n, f); err != nil {
		return nil, badRequest(err)
	}
	return f, nil
}

func (r *Rack) deleteFaults(req *http.Request) (any, error) {
	n, err := r.number(req)
	if err != nil {
		return nil, err
	}
	return []Fault{}, r.ClearFaults(n)
}

func (r *Rack) postForeign(req *http.Request) (any, error) {
	n, err := r.number(req)
	if err != nil {
		return nil, err
	}
	var body struct {
		Total fiscal.Money `json:"total"`
	}
	if err := readJSON(req, &body); err != nil {
		return nil, err
	}
	fd, err := r.MakeForeignReceipt(req.Context(), n, body.Total)
	if err != nil {
		return nil, badRequest(err)
	}
	return map[string]fiscal.DocNumber{"fd": fd}, nil
}
