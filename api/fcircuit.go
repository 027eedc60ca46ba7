package api

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"frpoold/circuits"
	"frpoold/fiscal"
)

// circuitJSON is a circuit as the source document shows it, with a few members more.
type circuitJSON struct {
	ID           fiscal.CircuitID  `json:"id"`
	INN          string            `json:"inn"` // the identifier: an INN or INN-N
	Title        string            `json:"title"`
	Frs          []memberJSON      `json:"frs"`
	Integrations []integrationJSON `json:"integrations"`
	Timezone     string            `json:"timezone"`
	CreatedAt    time.Time         `json:"created_at"`
	Queue        int               `json:"queue"` // receipts waiting for a device
}

// memberJSON is a device as a member of its circuit.
type memberJSON struct {
	EIP         fiscal.DeviceID  `json:"eip"`
	Type        string           `json:"type"`
	IsActive    int              `json:"is_active"`
	CircuitID   fiscal.CircuitID `json:"circuit_id"`
	Family      string           `json:"family"`
	AddedAt     time.Time        `json:"added_at"`
	ActivatedAt *time.Time       `json:"activated_at"`
	Forced      []string         `json:"forced"` // rules passed over at the last activation
}

type integrationJSON struct {
	ID        fiscal.IntegrationID `json:"id"`
	Type      string               `json:"type"`
	Param1    string               `json:"param1"`
	Param2    string               `json:"param2"` // masked for viewers
	IsActive  int                  `json:"is_active"`
	CircuitID fiscal.CircuitID     `json:"circuit_id"`
	CreatedAt time.Time            `json:"created_at"`
}

// secretMask is what a viewer sees of a secret, whatever its length.
const secretMask = "********"

func newMember(m circuits.Member) memberJSON {
	j := memberJSON{EIP: m.ID, Type: m.Type, IsActive: bit(m.Active), CircuitID: m.Circuit, Family: m.Family,
		AddedAt: m.AddedAt.UTC(), Forced: orEmpty(m.Ignored)}
	if !m.ActivatedAt.IsZero() {
		j.ActivatedAt = ptr(m.ActivatedAt.UTC())
	}
	return j
}

func newIntegration(g circuits.Integration, who caller) integrationJSON {
	j := integrationJSON{ID: g.ID, Type: g.Type, Param1: g.Param1, Param2: secretMask, IsActive: bit(g.Active),
		CircuitID: g.Circuit, CreatedAt: g.CreatedAt.UTC()}
	if who.role == RoleOperator {
		j.Param2 = g.Param2
	}
	return j
}

func (s *Server) newCircuit(v circuits.CircuitView, who caller) circuitJSON {
	j := circuitJSON{ID: v.ID, INN: v.Identifier, Title: v.Title, Timezone: v.Zone, CreatedAt: v.CreatedAt.UTC(),
		Queue: s.opt.Jobs.Queued(v.ID), Frs: []memberJSON{}, Integrations: []integrationJSON{}}
	for _, m := range v.Frs {
		j.Frs = append(j.Frs, newMember(m))
	}
	for _, g := range v.Integrations {
		j.Integrations = append(j.Integrations, newIntegration(g, who))
	}
	return j
}

func (s *Server) listCircuits(c *call) error {
	all := []circuitJSON{}
	for _, v := range s.opt.Circuits.CircuitViews() {
		all = append(all, s.newCircuit(v, c.who))
	}
	return c.reply(http.StatusOK, all)
}

// getCircuit answers an array, as the source document does.
func (s *Server) getCircuit(c *call) error {
	v, err := s.opt.Circuits.CircuitView(c.pathText("inn"))
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, []circuitJSON{s.newCircuit(v, c.who)})
}

func (s *Server) createCircuit(c *call) error {
	var inn, title, zone string
	if err := c.decode(textMember("inn", &inn).must(), textMember("title", &title).must(), textMember("timezone", &zone)); err != nil {
		return err
	}
	made, err := s.opt.Circuits.CreateCircuit(c.r.Context(), c.who.name, inn, title, zone)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/fcircuit/"+url.PathEscape(made.Identifier))
	return c.reply(http.StatusCreated, s.newCircuit(circuits.CircuitView{Circuit: made}, c.who))
}

// circuitID is the number in the path. A circuit's INN may be a number too, so the message says which one is meant.
func (c *call) circuitID() (fiscal.CircuitID, error) {
	n, ok := pathNumber(c.pathText("id"))
	if !ok {
		return 0, notFound("circuit_not_found", "There is no such circuit: this path takes the circuit's \"id\", a number, and not its \"inn\".")
	}
	return fiscal.CircuitID(n), nil
}

func (c *call) integrationID() (fiscal.IntegrationID, error) {
	n, ok := pathNumber(c.pathText("id"))
	if !ok {
		return 0, noIntegration()
	}
	return fiscal.IntegrationID(n), nil
}

// noIntegration is also what an integration is told about all others.
func noIntegration() error {
	return notFound("integration_not_found", "There is no such integration: GET /fcircuit lists those of each circuit with their ids.")
}

// pathNumber accepts a number in its one usual spelling.
func pathNumber(s string) (uint64, bool) {
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && strconv.FormatUint(n, 10) == s
}

func (s *Server) addDevice(c *call) error {
	id, err := c.circuitID()
	if err != nil {
		return err
	}
	var typ, eip string
	if err := c.decode(textMember("type", &typ).must(), textMember("eip", &eip).must()); err != nil {
		return err
	}
	m, err := s.opt.Circuits.AddDevice(c.r.Context(), c.who.name, id, typ, eip)
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/frs/"+url.PathEscape(string(m.ID)))
	return c.reply(http.StatusCreated, newMember(m))
}

func (s *Server) addIntegration(c *call) error {
	id, err := c.circuitID()
	if err != nil {
		return err
	}
	var typ, param1, param2 string
	if err := c.decode(textMember("type", &typ).must(), textMember("param1", &param1), textMember("param2", &param2)); err != nil {
		return err
	}
	g, err := s.opt.Circuits.AddIntegration(c.r.Context(), c.who.name, id, typ, param1, param2)
	s.auth.logins.changed()
	if err != nil {
		return err
	}
	c.w.Header().Set("Location", "/int/"+strconv.FormatUint(uint64(g.ID), 10))
	return c.reply(http.StatusCreated, newIntegration(g, c.who))
}

func (s *Server) getIntegration(c *call) error {
	id, err := c.integrationID()
	if err != nil {
		return err
	}
	g, err := s.opt.Circuits.Integration(id)
	if err != nil {
		return err
	}
	return c.reply(http.StatusOK, newIntegration(g, c.who))
}

// switchIntegration makes the handler that switches an integration on or off.
func switchIntegration(active bool) handlerFunc {
	return func(s *Server, c *call) error {
		id, err := c.integrationID()
		if err != nil {
			return err
		}
		reason, err := c.decodeReason()
		if err != nil {
			return err
		}
		g, err := s.opt.Circuits.SetIntegrationActive(c.r.Context(), c.who.name, id, active, reason)
		if err != nil {
			return err
		}
		return c.reply(http.StatusOK, newIntegration(g, c.who))
	}
}

func (s *Server) removeIntegration(c *call) error {
	id, err := c.integrationID()
	if err != nil {
		return err
	}
	err = s.opt.Circuits.RemoveIntegration(c.r.Context(), c.who.name, id)
	s.auth.logins.changed()
	if err != nil {
		return err
	}
	return c.noContent()
}
