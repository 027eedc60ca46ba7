package terminalfa

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"
)

// mutation is a codec broken in one way somebody could break it. Some vector must notice: a mutation that survives says
// that a change like it would, too (style.md §7.6).
type mutation struct {
	name   string
	on     string // the vector that must notice; empty: any
	breaks func(*codec)
	self   bool // only vectors written by ourselves can notice
}

// readAs breaks the reading of replies to c of at least least bytes: the codec sees DATA as change leaves it.
func readAs(c Command, least int, change func(b []byte)) func(*codec) {
	return func(k *codec) {
		parseReply := k.parseReply
		k.parseReply = func(cmd Command, f Frame) (Reply, error) {
			if cmd == c && f.Code == resultDone && len(f.Data) >= least {
				f.Data = slices.Clone(f.Data)
				change(f.Data)
			}
			return parseReply(cmd, f)
		}
	}
}

// writtenAs breaks the writing: what the codec wrote for a request of command c is changed and sealed again.
func writtenAs(c Command, change func(b []byte) []byte) func(*codec) {
	return func(k *codec) {
		encode := k.encode
		k.encode = func(v any) ([]byte, error) {
			b, err := encode(v)
			r, ok := v.(request)
			if err != nil || !ok || r.Command() != c {
				return b, err
			}
			return AppendFrame(nil, Frame{b[4], change(b[5 : len(b)-2])})
		}
	}
}

// framed breaks the envelope on both ways: wire is applied to what is written and to what is about to be read.
func framed(wire func(b []byte) []byte) func(*codec) {
	return func(k *codec) {
		encode, readFrame := k.encode, k.readFrame
		k.encode = func(v any) ([]byte, error) {
			b, err := encode(v)
			if err != nil {
				return nil, err
			}
			return wire(b), nil
		}
		k.readFrame = func(b []byte) (Frame, error) { return readFrame(wire(slices.Clone(b))) }
	}
}

func swap(i, j int) func([]byte) { return func(b []byte) { b[i], b[j] = b[j], b[i] } }

func reverse(from, to int) func([]byte) { return func(b []byte) { slices.Reverse(b[from:to]) } }

// rotate exchanges the neighbours from…mid and mid…to.
func rotate(from, mid, to int) func([]byte) {
	return func(b []byte) { copy(b[from:to], slices.Concat(b[mid:to], b[from:mid])) }
}

func mutations() []mutation {
	swapLast := func(b []byte) []byte {
		n := len(b)
		b[n-1], b[n-2] = b[n-2], b[n-1]
		return b
	}
	reseal := func(covered func(b []byte) []byte, add uint16) func(b []byte) []byte {
		return func(b []byte) []byte {
			return binary.LittleEndian.AppendUint16(b[:len(b)-2], CRC16(covered(b[:len(b)-2]))+add)
		}
	}
	return []mutation{
		{name: "CRC byte order", breaks: framed(swapLast)},
		{name: "CRC off by one", breaks: framed(reseal(func(b []byte) []byte { return b[2:] }, 1))},
		{name: "CRC without LENGTH", breaks: framed(reseal(func(b []byte) []byte { return b[4:] }, 0))},
		{name: "CRC with START", breaks: framed(reseal(func(b []byte) []byte { return b }, 0))},
		{name: "LENGTH little-endian", breaks: framed(func(b []byte) []byte {
			b[2], b[3] = b[3], b[2]
			return reseal(func(b []byte) []byte { return b[2:] }, 0)(b)
		})},
		{name: "LENGTH without CODE", breaks: framed(func(b []byte) []byte {
			b[3]--
			return reseal(func(b []byte) []byte { return b[2:] }, 0)(b)
		})},
		{name: "0A tax before modes", on: "device registration", breaks: readAs(CmdRegistration, 35, swap(32, 33))},
		{name: "0A INN before RNM", on: "device registration", breaks: readAs(CmdRegistration, 35, rotate(0, 20, 32))},
		{name: "30 modes before tax", on: "device find registration", self: true, breaks: readAs(CmdFind, 49, swap(47, 48))},
		{name: "33 modes before tax", on: "device activation", self: true, breaks: readAs(CmdActivation, 47, swap(37, 38))},
		{name: "01 printer and phase swapped", on: "device status", breaks: readAs(CmdStatus, 21, swap(18, 20))},
		{name: "01 off by one", on: "device status", breaks: readAs(CmdStatus, 21, func(b []byte) { copy(b, b[1:]) })},
		{name: "07 left and done swapped", on: "device FN expiry", breaks: readAs(CmdFNExpiry, 5, swap(3, 4))},
		{name: "08 FD big-endian", on: "device FN status", breaks: readAs(CmdFNStatus, 30, reverse(26, 30))},
		{name: "08 data and shift swapped", on: "device FN status", breaks: readAs(CmdFNStatus, 30, swap(2, 3))},
		{name: "0E IP reversed", on: "device network", breaks: readAs(CmdNetwork, 12, reverse(0, 4))},
		{name: "20 shift and receipt swapped", on: "device current shift", breaks: readAs(CmdShift, 5, swap(1, 3))},
		{name: "22 FD and sign swapped", on: "device open shift", breaks: readAs(CmdOpenShift, 10, rotate(2, 6, 10))},
		{name: "24 sign big-endian", on: "device form receipt", breaks: readAs(CmdFormReceipt, 17, reverse(6, 10))},
		{name: "24 shift before time", on: "device form receipt", breaks: readAs(CmdFormReceipt, 17, rotate(10, 15, 17))},
		{name: "50 month and day swapped", on: "device OFD status", breaks: readAs(CmdOFDStatus, 13, swap(9, 10))},
		{name: "30 total one byte early", on: "device find document", breaks: readAs(CmdFind, 21, func(b []byte) { copy(b[15:], b[16:]) })},
		{name: "24 total before operation", on: "host form receipt", breaks: writtenAs(CmdFormReceipt, func(b []byte) []byte {
			return slices.Concat(b[1:6], b[:1], b[6:])
		})},
		{name: "24 total as VLN", on: "host form receipt", breaks: writtenAs(CmdFormReceipt, func(b []byte) []byte {
			return appendVLN(b[:1], u40(b[1:]))
		})},
		{name: "24 total big-endian", on: "host form receipt", breaks: writtenAs(CmdFormReceipt, func(b []byte) []byte {
			slices.Reverse(b[1:6])
			return b
		})},
		{name: "26 total always wide", on: "host form correction", breaks: writtenAs(CmdFormCorrection, func(b []byte) []byte {
			return append(b, make([]byte, 6-len(b))...)
		})},
		{name: "21 print flag inverted", on: "host begin open shift", breaks: writtenAs(CmdBeginOpenShift, func(b []byte) []byte {
			if len(b) > 0 {
				b[0] ^= 1
			}
			return b
		})},
		{name: "13 RNM before INN", on: "host form registration", breaks: writtenAs(CmdFormRegistration, func(b []byte) []byte {
			return slices.Concat(b[12:32], b[:12], b[32:])
		})},
		{name: "13 reason always", on: "host form registration", breaks: writtenAs(CmdFormRegistration, func(b []byte) []byte { return append(b, 0) })},
		{name: "30 number big-endian", on: "host find document", breaks: writtenAs(CmdFind, func(b []byte) []byte {
			slices.Reverse(b)
			return b
		})},
		{name: "TLV tag big-endian", on: "host set clock", breaks: writtenAs(CmdSetClock, func(b []byte) []byte {
			swap(0, 1)(b)
			return b
		})},
		{name: "TLV length with header", on: "host set clock", breaks: writtenAs(CmdSetClock, func(b []byte) []byte {
			b[2] += tlvHead
			return b
		})},
		{name: "2B without the wrapper", on: "host item", breaks: writtenAs(CmdItem, func(b []byte) []byte { return b[tlvHead:] })},
		{name: "2F text in windows-1251", on: "host cashier", breaks: writtenAs(CmdCashier, func(b []byte) []byte {
			out, err := charmap.Windows1251.NewEncoder().Bytes([]byte(text(b[4:15])))
			if err != nil {
				panic(err)
			}
			copy(b[4:], out)
			return b
		})},
		{name: "2B quantity as plain integer", on: "host item", breaks: writtenAs(CmdItem, func(b []byte) []byte {
			return bytes.Replace(b, []byte{0xFF, 0x03, 2, 0, 0, 1}, []byte{0xFF, 0x03, 2, 0, 1, 0}, 1)
		})},
	}
}

func TestMutationsAreNoticed(t *testing.T) {
	t.Parallel()
	vals, vectors := values(t), readVectors(t)
	for _, m := range mutations() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			broken := realCodec
			m.breaks(&broken)
			var noticed []string
			for _, v := range vectors {
				if !v.outside() && !m.self {
					continue
				}
				if _, skip := oneWay[v.key()]; skip {
					continue
				}
				if checkDecode(broken, v, vals[v.key()]) != nil || checkEncode(broken, v, vals[v.key()]) != nil {
					noticed = append(noticed, v.key())
				}
			}
			require.NotEmpty(t, noticed, "no vector notices")
			if m.on != "" {
				require.Contains(t, noticed, m.on)
			}
		})
	}
}
