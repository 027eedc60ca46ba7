package dispatcher

import (
	"fmt"
	"time"

	"frpoold/fiscal"
)

// choose picks the device for a job among the ready and idle ones: least expected time of a receipt, then the storage
// that is furthest used. It is pure. ok is false when none fits.
//
// Times within a fifth of each other count as equal, or noise would decide instead of wear. The most used storage goes
// first so that the storages of a circuit run out one after another and not all in one week (design.md §6).
func choose(views []*fiscal.DeviceView, needs fiscal.Needs, avoid map[fiscal.DeviceID]struct{}) (best *fiscal.DeviceView, reason string, ok bool) {
	fits, avoided := 0, 0
	for _, v := range views {
		if len(unfit(v.Identity, needs)) > 0 {
			continue
		}
		if _, bad := avoid[v.ID]; bad {
			avoided++
			continue
		}
		fits++
		if best == nil || better(v, best) {
			best = v
		}
	}
	if best == nil {
		return nil, "", false
	}
	reason = fmt.Sprintf("of %d idle devices that fit: receipt in %s, %d documents in the storage",
		fits, best.Service.Round(time.Millisecond), used(best))
	if avoided > 0 {
		reason += fmt.Sprintf("; %d passed over after a failure", avoided)
	}
	return best, reason, true
}

func better(a, b *fiscal.DeviceView) bool {
	if slower(a.Service, b.Service) {
		return false
	}
	if slower(b.Service, a.Service) {
		return true
	}
	if ua, ub := used(a), used(b); ua != ub {
		return ua > ub
	}
	return a.ID < b.ID
}

// slower reports that a takes more than a fifth longer than b. A device not measured yet counts as equal to any.
func slower(a, b time.Duration) bool {
	return a != 0 && b != 0 && a > b+b/5
}

func used(v *fiscal.DeviceView) fiscal.DocNumber {
	if v.Status == nil {
		return 0
	}
	return v.Status.Document.Last
}

// unfit lists why a register can never make a receipt with these needs; empty when it can.
func unfit(id *fiscal.Identity, n fiscal.Needs) []fiscal.Failure {
	var out []fiscal.Failure
	if id.TaxSystems&n.TaxSystem == 0 {
		out = append(out, fiscal.Failure{Code: "no_such_tax_system",
			Message: fmt.Sprintf("registered for %v, the receipt needs %s", id.TaxSystems.Names(), n.TaxSystem)})
	}
	if !id.VATs.Contains(n.VATs) {
		out = append(out, fiscal.Failure{Code: "no_such_vat_rate", Message: "its firmware does not know a VAT rate of the receipt"})
	}
	// From FFD 1.2 on the registration names no agents; before it, the mask must have them (domain/ffd.md §2.6).
	if id.FFD != fiscal.FFD12 && id.Agents&n.Agents != n.Agents {
		out = append(out, fiscal.Failure{Code: "no_such_agent", Message: "not registered for this kind of agent"})
	}
	return out
}
