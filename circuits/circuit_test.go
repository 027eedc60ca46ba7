package circuits_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"frpoold/circuits"
	"frpoold/fiscal"
)

func TestParseIdentifier(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want fiscal.INN
		err  error
	}{
		{"5190114620-3", "5190114620", nil}, // seeds/README.md
		{"5190114620", "5190114620", nil},
		{"770900467024", "770900467024", nil}, // seeds/README.md
		{"770900467024-999999", "770900467024", nil},
		{"5190114621", "", circuits.ErrIdentifierINN},
		{"519011462", "", circuits.ErrIdentifierINN},
		{"51901146200", "", circuits.ErrIdentifierINN},
		{"", "", circuits.ErrIdentifierForm},
		{"-3", "", circuits.ErrIdentifierForm},
		{"5190114620-", "", circuits.ErrIdentifierForm},
		{"5190114620-0", "", circuits.ErrIdentifierForm},
		{"5190114620-03", "", circuits.ErrIdentifierForm},
		{"5190114620-1234567", "", circuits.ErrIdentifierForm},
		{"5190114620-3-4", "", circuits.ErrIdentifierForm},
		{"5190114620-x", "", circuits.ErrIdentifierForm},
		{"5190114620 -3", "", circuits.ErrIdentifierForm},
		{"٥190114620", "", circuits.ErrIdentifierForm},
	} {
		got, err := circuits.ParseIdentifier(c.in)
		require.ErrorIs(t, err, c.err, "%q", c.in)
		assert.Equal(t, c.want, got, "%q", c.in)
		if err == nil {
			assert.Equal(t, c.want, circuits.Circuit{Identifier: c.in}.INN())
		}
	}
}

func TestParseDeviceID(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]fiscal.DeviceID{
		"10.55.15.19:10515":                   "10.55.15.19:10515",
		"1.1.1.1:07777":                       "1.1.1.1:7777",
		"1.1.1.1:1":                           "1.1.1.1:1",
		"1.1.1.1:65535":                       "1.1.1.1:65535",
		"KKT-1.Rack.local:7778":               "kkt-1.rack.local:7778",
		"kkt_1:7778":                          "kkt_1:7778",
		"[::1]:7778":                          "[::1]:7778",
		"[2001:0DB8:0:0::1]:7778":             "[2001:db8::1]:7778",
		"serial:/dev/ttyUSB0":                 "serial:/dev/ttyUSB0",
		"serial:/dev/ttyUSB0?baud=115200":     "serial:/dev/ttyUSB0?baud=115200",
		"serial:/dev/ttyUSB0?":                "serial:/dev/ttyUSB0",
		"serial:/dev//serial/./by-id/usb-KKT": "serial:/dev/serial/by-id/usb-KKT",
	} {
		got, err := circuits.ParseDeviceID(in)
		require.NoError(t, err, in)
		assert.Equal(t, want, got, in)
		again, err := circuits.ParseDeviceID(string(got))
		require.NoError(t, err)
		assert.Equal(t, got, again, "the stored form reads as itself")
	}
	long := make([]byte, 300)
	for i := range long {
		long[i] = 'a'
	}
	for in, says := range map[string]string{
		"":                            "has no port",
		"10.0.0.1":                    "has no port",
		":7778":                       "has no host",
		"10.0.0.1:":                   "not a number from 1 to 65535",
		"10.0.0.1:0":                  "not a number from 1 to 65535",
		"10.0.0.1:65536":              "not a number from 1 to 65535",
		"10.0.0.1:+80":                "not a number from 1 to 65535",
		"10.0.0.1:http":               "not a number from 1 to 65535",
		"10.0.0.256:80":               "no IPv4 address",
		"10.0.0:80":                   "no IPv4 address",
		"010.0.0.1:80":                "no IPv4 address",
		"::1:80":                      "must stand in brackets",
		"[::1:80":                     "no IPv6 address in brackets",
		"[10.0.0.1]:80":               "no IPv6 address in brackets",
		"[::1%eth0":                   "not a number",
		"http://10.0.0.1:80":          "must stand in brackets",
		"kkt 1:80":                    "no host name has",
		"ккт:80":                      "no host name has",
		"10.0.0.1/24:80":              "no host name has",
		"serial:":                     "path below /dev/",
		"serial:ttyUSB0":              "path below /dev/",
		"serial:/dev":                 "path below /dev/",
		"serial:/dev/../etc/passwd":   "path below /dev/",
		"serial:/dev/tty USB0":        "path below /dev/",
		"serial:/dev/ttyUSB0?b=\n":    "path below /dev/",
		"serial:/home/dev/ttyUSB0":    "path below /dev/",
		"serial:/dev/\u043a":          "path below /dev/",
		string(long) + ":80":          "at most 255",
		"serial:/dev/" + string(long): "at most 255",
	} {
		_, err := circuits.ParseDeviceID(in)
		require.ErrorIs(t, err, circuits.ErrAddress, "%q", in)
		assert.ErrorContains(t, err, says, "%q", in)
	}
}

func FuzzParseDeviceID(f *testing.F) {
	for _, s := range []string{"10.55.15.19:10515", "serial:/dev/ttyUSB0?baud=115200", "[::1]:1", "kkt:65535", ":", "serial:", "[]:1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, err := circuits.ParseDeviceID(s)
		if err != nil {
			require.ErrorIs(t, err, circuits.ErrAddress)
			return
		}
		again, err := circuits.ParseDeviceID(string(id))
		require.NoError(t, err)
		require.Equal(t, id, again)
	})
}

func FuzzParseIdentifier(f *testing.F) {
	for _, s := range []string{"5190114620-3", "770900467024", "-", "5190114620-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		inn, err := circuits.ParseIdentifier(s)
		require.Equal(t, err == nil, inn.Valid())
		if err == nil {
			require.Equal(t, inn, circuits.Circuit{Identifier: s}.INN())
		}
	})
}

func TestCheckActivation(t *testing.T) {
	t.Parallel()
	circuit := circuits.Circuit{ID: 1, Identifier: "5190114620-3"}
	member := circuits.Member{ID: "10.0.0.1:7777", Type: "terminalfa", Family: "terminalfa"}
	identity := func(change func(*fiscal.Identity)) fiscal.Identity {
		id := fiscal.Identity{Family: "terminalfa", Serial: "2000004581", FN: "7381440800357213", INN: "5190114620", RNM: "0008287390020208"}
		if change != nil {
			change(&id)
		}
		return id
	}
	same := identity(nil)
	other := circuits.Member{ID: "10.0.0.2:7777", Active: true, Identity: &same}
	idle, itself := other, other
	idle.Active, itself.ID = false, member.ID
	unknown := circuits.Member{ID: "10.0.0.3:7777", Active: true}
	auto := member
	auto.Family = circuits.FamilyAuto
	for _, c := range []struct {
		name     string
		m        circuits.Member
		id       fiscal.Identity
		others   []circuits.Member
		refuseFN bool
		want     []string
	}{
		{"all right", member, identity(nil), nil, true, nil},
		{"other taxpayer", member, identity(func(i *fiscal.Identity) { i.INN = "7707083893" }), nil, false, []string{"wrong_inn"}},
		{"not registered", member, identity(func(i *fiscal.Identity) { i.INN, i.RNM = "", "" }), nil, false, []string{"wrong_inn", "fn_phase"}},
		{"no storage", member, identity(func(i *fiscal.Identity) { i.FN = "" }), nil, false, []string{"fn_phase"}},
		{"other family", member, identity(func(i *fiscal.Identity) { i.Family = "shtrihm" }), nil, false, []string{"family_mismatch"}},
		{"any family will do", auto, identity(func(i *fiscal.Identity) { i.Family = "shtrihm" }), nil, false, nil},
		{"works elsewhere", member, identity(nil), []circuits.Member{unknown, other}, false, []string{"device_serial_in_use"}},
		{"worked elsewhere", member, identity(nil), []circuits.Member{idle, itself, unknown}, false, nil},
		{"no serial", member, identity(func(i *fiscal.Identity) { i.Serial = "" }), []circuits.Member{unknown, {ID: "x:1", Active: true, Identity: &fiscal.Identity{}}}, false, nil},
		{"test storage", member, identity(func(i *fiscal.Identity) { i.FN = "9999078900001111" }), nil, false, nil},
		{"test storage refused", member, identity(func(i *fiscal.Identity) { i.FN = "9999078900001111" }), nil, true, []string{"test_fn_refused"}},
		{"everything", member, identity(func(i *fiscal.Identity) { i.INN, i.RNM, i.FN, i.Family = "1", "", "9999078900001111", "shtrihm" }), []circuits.Member{other}, true,
			[]string{"wrong_inn", "fn_phase", "family_mismatch", "device_serial_in_use", "test_fn_refused"}},
	} {
		var got []string
		for _, e := range circuits.CheckActivation(circuit, c.m, c.id, c.others, c.refuseFN) {
			got = append(got, e.Code)
			assert.NotEmpty(t, e.Path, c.name)
			assert.Regexp(t, `^[A-Z].*\.$`, e.Message, "a sentence")
		}
		assert.Equal(t, c.want, got, c.name)
	}
}
