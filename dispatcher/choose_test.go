package dispatcher

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

// device is a snapshot of a register that can make anything of the simplified system.
func device(id fiscal.DeviceID, service time.Duration, used fiscal.DocNumber, change ...func(*fiscal.Identity)) *fiscal.DeviceView {
	who := fiscal.Identity{TaxSystems: fiscal.TaxUSNIncome, VATs: fiscal.VATsUpTo(fiscal.VATNone), FFD: fiscal.FFD105}
	for _, c := range change {
		c(&who)
	}
	return &fiscal.DeviceView{ID: id, Identity: &who, Service: service, Status: &fiscal.Status{Document: fiscal.DocumentRef{Last: used}}}
}

func taxes(t fiscal.TaxSystem) func(*fiscal.Identity) {
	return func(i *fiscal.Identity) { i.TaxSystems = t }
}

var plain = fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, VATs: fiscal.VATSet(0).With(fiscal.VATNone)}

// design.md §6, Choice: ready, right tax system, then least expected finish time, then wear.
func TestChoose(t *testing.T) {
	t.Parallel()
	const ms = time.Millisecond
	for _, tc := range []struct {
		name  string
		views []*fiscal.DeviceView
		needs fiscal.Needs
		avoid []fiscal.DeviceID
		want  fiscal.DeviceID // empty: none
	}{
		{name: "no device", needs: plain},
		{name: "the only one", views: []*fiscal.DeviceView{device("a", 0, 5)}, needs: plain, want: "a"},
		{name: "no status yet", views: []*fiscal.DeviceView{{ID: "a", Identity: device("a", 0, 0).Identity}}, needs: plain, want: "a"},

		{name: "tax system of one", views: []*fiscal.DeviceView{device("a", 0, 5, taxes(fiscal.TaxOSN)), device("b", 0, 1)}, needs: plain, want: "b"},
		{name: "tax system of none", views: []*fiscal.DeviceView{device("a", 0, 5, taxes(fiscal.TaxOSN|fiscal.TaxPatent))}, needs: plain},
		{name: "one of several tax systems", views: []*fiscal.DeviceView{device("a", 0, 5, taxes(fiscal.TaxOSN|fiscal.TaxUSNIncome|fiscal.TaxPatent))}, needs: plain, want: "a"},

		{name: "VAT the firmware does not know", views: []*fiscal.DeviceView{device("a", 0, 5)},
			needs: fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, VATs: fiscal.VATSet(0).With(fiscal.VAT5)}},
		{name: "one VAT of two unknown", views: []*fiscal.DeviceView{device("a", 0, 5)},
			needs: fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, VATs: fiscal.VATSet(0).With(fiscal.VATNone).With(fiscal.VAT22)}},
		{name: "VAT that one firmware knows", views: []*fiscal.DeviceView{device("a", 0, 9), device("b", 0, 1, func(i *fiscal.Identity) { i.VATs = fiscal.VATsUpTo(fiscal.VAT122) })},
			needs: fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, VATs: fiscal.VATSet(0).With(fiscal.VAT22)}, want: "b"},

		{name: "agent, not registered", views: []*fiscal.DeviceView{device("a", 0, 5)}, needs: fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, Agents: fiscal.CommissionAgent}},
		{name: "agent, one bit of two", views: []*fiscal.DeviceView{device("a", 0, 5, func(i *fiscal.Identity) { i.Agents = fiscal.CommissionAgent })},
			needs: fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, Agents: fiscal.CommissionAgent | fiscal.Attorney}},
		{name: "agent, registered", views: []*fiscal.DeviceView{device("a", 0, 5, func(i *fiscal.Identity) { i.Agents = fiscal.CommissionAgent | fiscal.PayingAgent })},
			needs: fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, Agents: fiscal.CommissionAgent}, want: "a"},
		{name: "agent at FFD 1.2, where none is registered", views: []*fiscal.DeviceView{device("a", 0, 5, func(i *fiscal.Identity) { i.FFD = fiscal.FFD12 })},
			needs: fiscal.Needs{TaxSystem: fiscal.TaxUSNIncome, Agents: fiscal.CommissionAgent}, want: "a"},

		{name: "the faster one", views: []*fiscal.DeviceView{device("a", 900*ms, 99), device("b", 300*ms, 1)}, needs: plain, want: "b"},
		{name: "within a fifth it is wear", views: []*fiscal.DeviceView{device("a", 300*ms, 1), device("b", 360*ms, 99)}, needs: plain, want: "b"},
		{name: "above a fifth it is time", views: []*fiscal.DeviceView{device("a", 300*ms, 1), device("b", 361*ms, 99)}, needs: plain, want: "a"},
		{name: "not measured yet counts as equal", views: []*fiscal.DeviceView{device("a", 300*ms, 1), device("b", 0, 99)}, needs: plain, want: "b"},
		{name: "the most worn storage first", views: []*fiscal.DeviceView{device("a", 0, 100), device("b", 0, 200_000), device("c", 0, 150_000)}, needs: plain, want: "b"},
		{name: "all equal: by name", views: []*fiscal.DeviceView{device("c", 0, 7), device("a", 0, 7), device("b", 0, 7)}, needs: plain, want: "a"},

		// The slow one is within a fifth of the middle one, and the middle one of the fast one. It is a third slower than
		// the fast one all the same, and wear does not pay for that.
		{name: "no ladder of fifths", views: []*fiscal.DeviceView{device("a", 300*ms, 1), device("b", 350*ms, 50), device("c", 400*ms, 99)}, needs: plain, want: "b"},

		{name: "avoided", views: []*fiscal.DeviceView{device("a", 0, 99), device("b", 0, 1)}, needs: plain, avoid: []fiscal.DeviceID{"a"}, want: "b"},
		{name: "all avoided", views: []*fiscal.DeviceView{device("a", 0, 99)}, needs: plain, avoid: []fiscal.DeviceID{"a"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			avoid := map[fiscal.DeviceID]struct{}{}
			for _, id := range tc.avoid {
				avoid[id] = struct{}{}
			}
			for range 20 { // in any order
				before := slices.Clone(tc.views)
				best, reason, ok := choose(tc.views, tc.needs, avoid)
				require.Equal(t, before, tc.views, "it is pure")
				require.Equal(t, tc.want != "", ok)
				if ok {
					require.Equal(t, tc.want, best.ID)
					require.NotEmpty(t, reason)
				}
				rand.New(rand.NewPCG(1, 2)).Shuffle(len(tc.views), func(i, j int) { tc.views[i], tc.views[j] = tc.views[j], tc.views[i] })
			}
		})
	}
}

// Whatever the devices are like and however they are listed, the choice is the same, fits, and costs at most a fifth more
// time than the fastest that fits.
func TestChooseIsDeterministic(t *testing.T) {
	t.Parallel()
	const seed = 20261122
	random := rand.New(rand.NewPCG(seed, seed))
	for round := range 3000 {
		views := make([]*fiscal.DeviceView, 1+random.IntN(6))
		for i := range views {
			service := time.Duration(random.IntN(8)) * 40 * time.Millisecond
			views[i] = device(fiscal.DeviceID(rune('a'+i)), service, fiscal.DocNumber(random.IntN(4)))
			if random.IntN(4) == 0 {
				views[i].Identity.TaxSystems = fiscal.TaxOSN
			}
		}
		want, _, ok := choose(views, plain, nil)
		fastest := time.Duration(0)
		for _, v := range views {
			if len(unfit(v.Identity, plain)) == 0 && v.Service > 0 && (fastest == 0 || v.Service < fastest) {
				fastest = v.Service
			}
		}
		if ok {
			require.Empty(t, unfit(want.Identity, plain))
			require.LessOrEqual(t, want.Service, fastest+fastest/5, "round %d, seed %d", round, seed)
		}
		for range 4 {
			random.Shuffle(len(views), func(i, j int) { views[i], views[j] = views[j], views[i] })
			again, _, ok2 := choose(views, plain, nil)
			require.Equal(t, ok, ok2)
			require.Same(t, want, again, "round %d, seed %d", round, seed)
		}
	}
}

// The reason for a choice is kept on the attempt: it says among how many, and who was passed over.
func TestChoiceSaysWhy(t *testing.T) {
	t.Parallel()
	_, reason, ok := choose([]*fiscal.DeviceView{device("a", 300*time.Millisecond, 17), device("b", 0, 3), device("c", 0, 9)}, plain,
		map[fiscal.DeviceID]struct{}{"c": {}})
	require.True(t, ok)
	require.Contains(t, reason, "2 idle devices")
	require.Contains(t, reason, "300ms")
	require.Contains(t, reason, "17 documents")
	require.Contains(t, reason, "1 passed over")
}

func TestUnfit(t *testing.T) {
	t.Parallel()
	who := device("a", 0, 0).Identity
	needs := fiscal.Needs{TaxSystem: fiscal.TaxOSN, VATs: fiscal.VATSet(0).With(fiscal.VAT22), Agents: fiscal.Attorney}
	var codes []string
	for _, f := range unfit(who, needs) {
		codes = append(codes, f.Code)
		require.NotEmpty(t, f.Message)
	}
	require.Equal(t, []string{"no_such_tax_system", "no_such_vat_rate", "no_such_agent"}, codes)
	require.Empty(t, unfit(who, plain))
}
