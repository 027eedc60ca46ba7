package pool

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"frpoold/fiscal"
)

var gatePolicy = Policy{
	TemperatureWarn: 60, TemperatureStop: 70, TemperatureResume: 65,
	SkewWarn: time.Minute, SkewStop: 5 * time.Minute, OFDOverdue: 25 * 24 * time.Hour,
	FNDocuments: 249_000, FNExpiresStop: 24 * time.Hour, RefuseTestFN: true,
}

var gateZone = time.FixedZone("MSK", 3*3600)

// noon is when the facts below are looked at.
var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, gateZone)

func deviceTime(t *testing.T, text string) fiscal.DeviceTime {
	t.Helper()
	var d fiscal.DeviceTime
	require.NoError(t, d.UnmarshalText([]byte(text)))
	return d
}

// sound are the facts of a device that nothing is wrong with.
func sound(t *testing.T) facts {
	id := fiscal.Identity{Serial: "S1", FN: "8710000100012345", INN: "7707083893", FNExpires: deviceTime(t, "2027-05-01T00:00")}
	activated := id
	return facts{
		now: noon, zone: gateZone, inn: "7707083893", expect: &activated, identity: &id,
		status: &fiscal.Status{
			FNPresent: true, Phase: fiscal.PhaseFiscal, Clock: deviceTime(t, "2026-03-14T12:00"), ReadAt: noon,
			Document: fiscal.DocumentRef{FN: id.FN, Last: 17},
		},
	}
}

func celsius(t int) *int { return &t }

// Each gate of design.md §6 that this pool can close, at its edge: just open, just closed.
func TestClosedGates(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(f *facts, p *Policy)
		want   []fiscal.GateCode
		says   string
	}{
		{name: "nothing wrong", change: func(*facts, *Policy) {}},

		{name: "draining", change: func(f *facts, _ *Policy) { f.draining = true }, want: []fiscal.GateCode{fiscal.GateInactive}, says: "deactivated"},
		{name: "no link", change: func(f *facts, _ *Policy) { f.lost = errors.New("no route to host") }, want: []fiscal.GateCode{fiscal.GateOffline}, says: "no route to host"},
		{name: "never contacted", change: func(f *facts, _ *Policy) { f.identity, f.status = nil, nil }, want: []fiscal.GateCode{fiscal.GateOffline}, says: "not contacted"},
		{name: "no status yet", change: func(f *facts, _ *Policy) { f.status = nil }, want: []fiscal.GateCode{fiscal.GateOffline}},
		{name: "offline hides what was last seen", change: func(f *facts, _ *Policy) {
			f.lost, f.status.Phase = errors.New("gone"), fiscal.PhaseArchive
		}, want: []fiscal.GateCode{fiscal.GateOffline}},

		{name: "another serial", change: func(f *facts, _ *Policy) { f.identity.Serial = "S2" }, want: []fiscal.GateCode{fiscal.GateIdentityChanged}, says: "S2"},
		{name: "another FN", change: func(f *facts, _ *Policy) { f.identity.FN = "8710000100099999" }, want: []fiscal.GateCode{fiscal.GateIdentityChanged}, says: "8710000100099999"},
		{name: "never activated", change: func(f *facts, _ *Policy) { f.expect, f.identity.Serial = nil, "S2" }},
		{name: "another taxpayer", change: func(f *facts, _ *Policy) { f.identity.INN = "500100732259" }, want: []fiscal.GateCode{fiscal.GateWrongINN}, says: "500100732259"},

		{name: "no FN", change: func(f *facts, _ *Policy) {
			f.status.FNPresent, f.identity.FN, f.identity.INN, f.status.Phase = false, "", "", 0
		}, want: []fiscal.GateCode{fiscal.GateFNMissing}},
		{name: "FN ready for registration", change: func(f *facts, _ *Policy) { f.status.Phase = fiscal.PhaseReady }, want: []fiscal.GateCode{fiscal.GateFNPhase}, says: "phase 1"},
		{name: "FN post-fiscal", change: func(f *facts, _ *Policy) { f.status.Phase = fiscal.PhasePostFiscal }, want: []fiscal.GateCode{fiscal.GateFNPhase}},
		{name: "FN archive", change: func(f *facts, _ *Policy) { f.status.Phase = fiscal.PhaseArchive }, want: []fiscal.GateCode{fiscal.GateFNPhase}},
		{name: "register says critical", change: func(f *facts, _ *Policy) { f.status.Critical = true }, want: []fiscal.GateCode{fiscal.GateFNCritical}},
		{name: "FN says critical", change: func(f *facts, _ *Policy) { f.status.Warnings = fiscal.WarnCriticalError }, want: []fiscal.GateCode{fiscal.GateFNCritical}},
		{name: "FN warns", change: func(f *facts, _ *Policy) {
			f.status.Warnings = fiscal.WarnReplaceNow | fiscal.WarnResource | fiscal.WarnMemory | fiscal.WarnOFDTimeout
		}},
		{name: "debug FN where it is refused", change: func(f *facts, _ *Policy) { f.identity.FN, f.expect = "9999078900001234", nil }, want: []fiscal.GateCode{fiscal.GateFNPhase}, says: "debug"},
		{name: "debug FN by default", change: func(f *facts, p *Policy) { f.identity.FN, f.expect, p.RefuseTestFN = "9999078900001234", nil, false }},

		// The FN is good until the end of its last day; the gate closes FNExpiresStop before that.
		{name: "FN on its last day but one", change: func(f *facts, _ *Policy) { f.identity.FNExpires = deviceTime(t, "2026-03-15T00:00") }},
		{name: "FN a minute before the gate", change: func(f *facts, _ *Policy) {
			f.identity.FNExpires, f.status.Clock = deviceTime(t, "2026-03-15T00:00"), deviceTime(t, "2026-03-14T23:59")
			f.status.ReadAt = f.status.Clock.In(gateZone)
		}},
		{name: "FN on its last day", change: func(f *facts, _ *Policy) { f.identity.FNExpires = deviceTime(t, "2026-03-14T00:00") }, want: []fiscal.GateCode{fiscal.GateFNExpired}, says: "14.03.2026"},
		{name: "FN on its last day, used to the end", change: func(f *facts, p *Policy) {
			f.identity.FNExpires, p.FNExpiresStop = deviceTime(t, "2026-03-14T00:00"), 0
		}},
		{name: "FN after its last day", change: func(f *facts, p *Policy) {
			f.identity.FNExpires, p.FNExpiresStop = deviceTime(t, "2026-03-13T00:00"), 0
		}, want: []fiscal.GateCode{fiscal.GateFNExpired}},
		{name: "FN that does not tell", change: func(f *facts, _ *Policy) { f.identity.FNExpires = fiscal.DeviceTime{} }},

		{name: "FN nearly full", change: func(f *facts, _ *Policy) { f.status.Document.Last = 248_999 }},
		{name: "FN full", change: func(f *facts, _ *Policy) { f.status.Document.Last = 249_000 }, want: []fiscal.GateCode{fiscal.GateFNFull}, says: "249000"},

		{name: "OFD a little late", change: func(f *facts, _ *Policy) {
			f.status.OFD = fiscal.OFDQueue{Count: 3, First: 15, FirstTime: deviceTime(t, "2026-02-17T12:01")}
		}},
		{name: "OFD too late", change: func(f *facts, _ *Policy) {
			f.status.OFD = fiscal.OFDQueue{Count: 3, First: 15, FirstTime: deviceTime(t, "2026-02-17T12:00")}
		}, want: []fiscal.GateCode{fiscal.GateOFDOverdue}, says: "document 15"},
		{name: "everything sent", change: func(f *facts, _ *Policy) {
			f.status.OFD = fiscal.OFDQueue{FirstTime: deviceTime(t, "2020-01-01T00:00")}
		}},
		{name: "age unknown", change: func(f *facts, _ *Policy) { f.status.OFD = fiscal.OFDQueue{Count: 9, First: 1} }},

		{name: "hot", change: func(f *facts, _ *Policy) { f.hot, f.status.Temperature = true, celsius(72) }, want: []fiscal.GateCode{fiscal.GateTooHot}, says: "72"},

		// The register shows whole minutes, so its clock can look up to a minute slow and be right.
		{name: "clock ahead, within tolerance", change: func(f *facts, _ *Policy) { f.status.Clock = deviceTime(t, "2026-03-14T12:04") }},
		{name: "clock ahead", change: func(f *facts, _ *Policy) { f.status.Clock = deviceTime(t, "2026-03-14T12:05") }, want: []fiscal.GateCode{fiscal.GateClockSkew}, says: "5m0s"},
		{name: "clock behind, within tolerance", change: func(f *facts, _ *Policy) { f.status.Clock = deviceTime(t, "2026-03-14T11:55") }},
		{name: "clock behind", change: func(f *facts, _ *Policy) { f.status.Clock = deviceTime(t, "2026-03-14T11:54") }, want: []fiscal.GateCode{fiscal.GateClockSkew}, says: "-5m0s"},
		{name: "clock in another zone", change: func(f *facts, _ *Policy) { f.zone = time.FixedZone("YEKT", 5*3600) }, want: []fiscal.GateCode{fiscal.GateClockSkew}},
		{name: "no clock", change: func(f *facts, _ *Policy) { f.status.Clock = fiscal.DeviceTime{} }},

		{name: "printer, and none is wanted", change: func(f *facts, _ *Policy) { f.status.Printer = 2 }},
		{name: "printer", change: func(f *facts, _ *Policy) { f.printing, f.status.Printer = true, 2 }, want: []fiscal.GateCode{fiscal.GatePrinter}, says: "status 2"},
		{name: "closing", change: func(f *facts, _ *Policy) { f.closing = true }, want: []fiscal.GateCode{fiscal.GateShiftClosing}},
		{name: "in doubt", change: func(f *facts, _ *Policy) { f.hold = "01ABC" }, want: []fiscal.GateCode{fiscal.GateInDoubt}, says: "01ABC"},
		{name: "in doubt and offline", change: func(f *facts, _ *Policy) { f.hold, f.lost = "01ABC", errors.New("gone") }, want: []fiscal.GateCode{fiscal.GateOffline, fiscal.GateInDoubt}},
		{name: "paused", change: func(f *facts, _ *Policy) {
			f.paused = &pause{until: noon.Add(time.Second), cause: errors.New("out of ink")}
		}, want: []fiscal.GateCode{fiscal.GateBusy}, says: "out of ink"},
		{name: "the pause is over", change: func(f *facts, _ *Policy) { f.paused = &pause{until: noon} }},

		{name: "a debug FN in a wrong phase", change: func(f *facts, _ *Policy) {
			f.identity.FN, f.expect, f.status.Phase = "9999078900001234", nil, fiscal.PhaseReady
		}, want: []fiscal.GateCode{fiscal.GateFNPhase}, says: "phase 1"},
		{name: "several, in the order of design.md §6", change: func(f *facts, _ *Policy) {
			f.draining, f.identity.Serial, f.identity.INN, f.status.Phase = true, "S2", "500100732259", fiscal.PhaseArchive
			f.status.Critical, f.status.Document.Last, f.hot, f.status.Temperature = true, 250_000, true, celsius(80)
			f.status.Clock, f.printing, f.status.Printer, f.closing, f.hold = deviceTime(t, "2026-03-15T12:00"), true, 1, true, "01ABC"
		}, want: []fiscal.GateCode{
			fiscal.GateInactive, fiscal.GateIdentityChanged, fiscal.GateWrongINN, fiscal.GateFNPhase, fiscal.GateFNCritical, fiscal.GateFNFull,
			fiscal.GateTooHot, fiscal.GateClockSkew, fiscal.GateShiftClosing, fiscal.GateInDoubt, fiscal.GatePrinter,
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f, p := sound(t), gatePolicy
			tc.change(&f, &p)
			var codes []fiscal.GateCode
			text := ""
			for _, g := range closedGates(p, f) {
				codes = append(codes, g.Code)
				text += g.Message + "\n"
				require.NotEmpty(t, g.Message)
			}
			require.Equal(t, tc.want, codes)
			require.Contains(t, text, tc.says)
		})
	}
}

// Whatever comes together, a gate is listed once: it is one line of reasons[] and one sample of a metric, and a metric with
// two of the same labels fails the whole scrape.
func TestGateIsListedOnce(t *testing.T) {
	t.Parallel()
	const seed = 20260314
	random := rand.New(rand.NewPCG(seed, seed))
	coin := func() bool { return random.IntN(2) == 0 }
	for range 2000 {
		f, p := sound(t), gatePolicy
		changes := []func(){
			func() { f.draining = true },
			func() { f.identity.Serial = "S2" },
			func() { f.identity.FN = "9999078900001234" },
			func() { f.identity.INN = "500100732259" },
			func() { f.status.FNPresent = false },
			func() { f.status.Phase = fiscal.PhaseArchive },
			func() { f.status.Critical, f.status.Warnings = coin(), fiscal.WarnCriticalError },
			func() { f.identity.FNExpires = deviceTime(t, "2026-01-01T00:00") },
			func() { f.status.Document.Last = 250_000 },
			func() { f.status.OFD = fiscal.OFDQueue{Count: 1, FirstTime: deviceTime(t, "2025-01-01T00:00")} },
			func() { f.hot, f.status.Temperature = true, celsius(90) },
			func() { f.status.Clock = deviceTime(t, "2026-03-15T12:00") },
			func() { f.printing, f.status.Printer = true, 1 },
			func() { f.closing, f.hold = coin(), "01ABC" },
			func() { f.paused = &pause{until: noon.Add(time.Hour), cause: errors.New("x")} },
			func() { f.lost = errors.New("gone") },
		}
		for i, change := range changes {
			if coin() && (i < len(changes)-1 || random.IntN(10) == 0) {
				change()
			}
		}
		seen := map[fiscal.GateCode]bool{}
		for _, g := range closedGates(p, f) {
			require.False(t, seen[g.Code], "%s twice (seed %d)", g.Code, seed)
			require.Contains(t, fiscal.GateCodes, g.Code)
			seen[g.Code] = true
		}
	}
}

// Temperature: closes at stop, opens at resume, and keeps its state between the two.
func TestLatchHot(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		was  bool
		now  *int
		want bool
	}{
		{false, celsius(20), false},
		{false, celsius(65), false},
		{false, celsius(69), false},
		{false, celsius(70), true},
		{false, celsius(99), true},
		{true, celsius(70), true},
		{true, celsius(69), true},
		{true, celsius(66), true},
		{true, celsius(65), false},
		{true, celsius(-10), false},
		{false, nil, false},
	} {
		require.Equal(t, tc.want, latchHot(gatePolicy, tc.was, tc.now))
	}
}
