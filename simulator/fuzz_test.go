package simulator

import (
	"encoding/json"
	"testing"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// FuzzModel feeds the model requests of any content: pairs of a command and a length, with so many bytes of data. It must
// not panic, must answer what a frame holds, and must number its documents without a gap.
func FuzzModel(f *testing.F) {
	add := func(ffd byte, texts ...string) {
		b := []byte{ffd}
		for _, s := range texts {
			r := unhex(f, s)
			b = append(b, r[0], byte(len(r)-1))
			b = append(b, r[1:]...)
		}
		f.Add(b)
	}
	add(2, "21 01", "22", "23", "2B "+item150, "2D "+payment150, "24 "+form150, "3A 03 00 00 00", "30 03 00 00 00", "29 01", "2A")
	add(2, "21 01", "2F "+cashierData, "22", "25", "2E "+correction, "26 01 98 3A", "35 03 00 00 00", "36", "36", "27", "28")
	add(4, "21 01", "22", "23", "96 "+newItem150, "2D "+payment150, "98 "+data12, "24 "+form150, "95", "10", "EF")
	add(3, "12 02", "16 "+registerData, "13 "+registerForm+"04", "01", "08", "50", "72 30 75 05 00 1A 03 0E 09 05", "73", "33", "3B 01")
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		o := Options{Devices: 1, Now: newClock().now, FFD: fiscal.FFD(b[0]%3) + fiscal.FFD105, Agents: 0x41, LastVAT: fiscal.VAT122}
		r, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		m := &r.devices[0].reg
		for b = b[1:]; len(b) >= 2; {
			n := min(int(b[1]), len(b)-2)
			reply, code, _ := m.execute(terminalfa.Frame{Code: b[0], Data: b[2 : 2+n]}, func() bool { return true })
			if code == done {
				if _, err := terminalfa.AppendReply(nil, reply); err != nil {
					t.Fatalf("%02X: %v", b[0], err)
				}
			}
			b = b[2+n:]
		}
		list, err := r.Documents(1)
		if err != nil {
			t.Fatal(err)
		}
		for i, d := range list {
			if int(d.FD) != i+1 {
				t.Fatalf("document %d stands at place %d", d.FD, i+1)
			}
		}
		if _, err := json.Marshal(list); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzControl: no body makes the control port panic or answer 5xx.
func FuzzControl(f *testing.F) {
	for _, s := range []string{
		`{"temperature": 75, "clock_offset": "-90s", "fn": "replace", "power": false, "power_for": "1s"}`,
		`{"kind": "refuse_code", "command": "document", "code": "16", "delay": "1s", "after_bytes": 3}`,
		`{"random_faults": {"probability": 0.5, "kinds": ["hang"]}}`, `{"total": 1.5}`, `{`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, to := range []any{&Patch{}, &Fault{}, &RandomFaults{}} {
			if strict(b, to) != nil {
				continue
			}
			switch v := to.(type) {
			case *Patch:
				_ = v.check()
			case *Fault:
				_ = v.check()
			case *RandomFaults:
				_ = v.check()
			}
		}
	})
}
