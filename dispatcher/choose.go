package dispatcher

import (
	"fmt"
	"time"

	"frpoold/fiscal"
)

// choose picks the device for a job among the ready and idle ones: least expected time of a receipt, then the storage
// that is furthest used. It is pure. ok is false when none fits.
//
// Times within a fifth of the best count as equal, or noise would decide instead of wear; a device not measured yet counts
// as equal to any. The most used storage goes first so that the storages of a circuit run out one after another and not
// all in one week (design.md §6).
func choose(views []*fiscal.DeviceView, needs fiscal.Needs, avoid map[fiscal.DeviceID]struct{}) (best *fiscal.DeviceView, reason string, ok bool) {
	avoided := 0
	fits := make([]*fiscal.DeviceView, 0, len(views))
	var fastest time.Duration // of those measured
	for _, v := range views {
		if len(unfit(v.Identity, needs)) > 0 {
			continue
		}
		if _, bad := avoid[v.ID]; bad {
			avoided++
			continue
		}
		fits = append(fits, v)
		if v.Service != 0 && (fastest == 0 || v.Service < fastest) {
			fastest = v.Service
		}
	}
	for _, v := range fits {
		// Measured against the fastest and not against each other, or a row of small steps would end at a slow one.
		if v.Service <= fastest+fastest/5 && (best == nil || better(v, best)) {
			best = v
		}
	}
	if best == nil {
		return nil, "", false
	}
	reason = fmt.Sprintf("of %d idle devices that fit: receipt in %s, %d documents in the storage",
		len(fits), best.Service.Round(time.Millisecond), used(best))
	if avoided > 0 {
		reason += fmt.Sprintf("; %d passed over after a failure", avoided)
	}
	return best, reason, true
}

// better prefers the storage that is further used, among devices that are equally fast.
func better(a, b *fiscal.DeviceView) bool {
	if ua, ub := used(a), used(b); ua != ub {
		return ua > ub
	}
	return a.ID < b.ID
}

func used(v *fiscal.DeviceView) fiscal.DocNumber {
	if v.Status == nil {
		return 0
	}
	return v.Status.Document.Last
}

// unfitOrder is the order in which unfit lists them.
var unfitOrder = []string{"no_such_tax_system", "no_such_vat_rate", "no_such_agent"}

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
