package circuits

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"frpoold/fiscal"
)

// Integration is one integration, its secret included. It fails with integration_not_found.
func (r *Registry) Integration(id fiscal.IntegrationID) (Integration, error) {
	r.ensureLoaded()
	r.mu.RLock()
	defer r.mu.RUnlock()
	if i, ok := findIntegration(r.integrations, id); ok {
		return r.integrations[i], nil
	}
	return Integration{}, integrationNotFound(id)
}

// AddIntegration adds an inactive integration to a circuit. It fails with unknown_type, invalid_integration (Details
// "errors"), circuit_not_found or integration_exists.
func (r *Registry) AddIntegration(ctx context.Context, by string, circuit fiscal.CircuitID, typ, param1, param2 string) (Integration, error) {
	check, ok := r.opt.IntegrationTypes[typ]
	if !ok {
		return Integration{}, unknownType("integration", typ, r.opt.IntegrationTypes)
	}
	if check != nil {
		if errs := check(param1, param2); len(errs) > 0 {
			return Integration{}, contentError("invalid_integration", "The integration was not created", errs)
		}
	}
	if err := r.begin(ctx); err != nil {
		return Integration{}, err
	}
	defer r.change.Unlock()
	c, ok := r.circuit(circuit)
	if !ok {
		return Integration{}, circuitNotFound(circuit)
	}
	if g, taken := r.sameIntegration(typ, param1); taken {
		owner, _ := r.circuit(g.Circuit)
		return Integration{}, integrationExists(g, owner)
	}
	g, err := r.store.CreateIntegration(Integration{Circuit: circuit, Type: typ, Param1: param1, Param2: param2, CreatedAt: r.opt.Now()})
	if err != nil {
		return Integration{}, storeFailed(err)
	}
	r.mu.Lock()
	r.integrations = append(r.integrations, g)
	r.mu.Unlock()
	return g, r.audit(by, "integration.add", target(g.ID), "", fmt.Sprintf("type %s, param1 %q, circuit %s", typ, param1, c.Identifier))
}

// SetIntegrationActive switches an integration on or off; one that is so already is left as it is. It fails with
// integration_not_found or store_failed.
func (r *Registry) SetIntegrationActive(ctx context.Context, by string, id fiscal.IntegrationID, active bool, reason string) (Integration, error) {
	if err := r.begin(ctx); err != nil {
		return Integration{}, err
	}
	defer r.change.Unlock()
	g, err := r.Integration(id)
	if err != nil {
		return Integration{}, err
	}
	if g.Active == active {
		return g, nil
	}
	g.Active = active
	if err := r.store.UpdateIntegration(g); err != nil {
		return Integration{}, storeFailed(err)
	}
	r.mu.Lock()
	if i, ok := findIntegration(r.integrations, id); ok {
		r.integrations[i] = g
	}
	r.mu.Unlock()
	action := "integration.deactivate"
	if active {
		action = "integration.activate"
	}
	return g, r.audit(by, action, target(id), reason, "")
}

// RemoveIntegration removes an integration. Its jobs stay and are finished. It fails with integration_not_found or
// store_failed.
func (r *Registry) RemoveIntegration(ctx context.Context, by string, id fiscal.IntegrationID) error {
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer r.change.Unlock()
	g, err := r.Integration(id)
	if err != nil {
		return err
	}
	if err := r.store.DeleteIntegration(id); err != nil {
		return storeFailed(err)
	}
	r.mu.Lock()
	if i, ok := findIntegration(r.integrations, id); ok {
		r.integrations = slices.Delete(r.integrations, i, i+1)
	}
	r.mu.Unlock()
	return r.audit(by, "integration.remove", target(id), "", fmt.Sprintf("type %s, param1 %q", g.Type, g.Param1))
}

func (r *Registry) sameIntegration(typ, param1 string) (Integration, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	i := slices.IndexFunc(r.integrations, func(g Integration) bool { return g.Type == typ && g.Param1 == param1 })
	if i < 0 {
		return Integration{}, false
	}
	return r.integrations[i], true
}

func findIntegration(list []Integration, id fiscal.IntegrationID) (int, bool) {
	return slices.BinarySearchFunc(list, id, func(g Integration, id fiscal.IntegrationID) int { return cmp.Compare(g.ID, id) })
}

func target(id fiscal.IntegrationID) string { return strconv.FormatUint(uint64(id), 10) }

func integrationExists(g Integration, c Circuit) error {
	return conflict("integration_exists",
		fmt.Sprintf("An integration of type %s with param1 %q already exists in the circuit %s as number %d.", g.Type, g.Param1, c.Identifier, g.ID),
		map[string]any{"id": g.ID, "circuit_id": g.Circuit, "inn": c.Identifier})
}
