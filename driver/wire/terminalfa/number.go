package terminalfa

import (
	"encoding/binary"
	"fmt"

	"frpoold/fiscal"
)

// The number types of §3: everything is little-endian but LENGTH and the sign inside tag 1077.

const maxU40 = 1<<40 - 1

func appendU40(dst []byte, v uint64) ([]byte, error) {
	if v > maxU40 {
		return dst, fmt.Errorf("%w: %d does not fit five bytes", ErrValue, v)
	}
	return append(dst, byte(v), byte(v>>8), byte(v>>16), byte(v>>24), byte(v>>32)), nil
}

func u40(b []byte) uint64 {
	return uint64(binary.LittleEndian.Uint32(b)) | uint64(b[4])<<32
}

// appendVLN appends v in as few bytes as it needs, at least one.
func appendVLN(dst []byte, v uint64) []byte {
	for dst = append(dst, byte(v)); v > 0xFF; {
		v >>= 8
		dst = append(dst, byte(v))
	}
	return dst
}

// vln reads an integer of any length; zero bytes past the eighth change nothing (R always sends four bytes, §3). ok is
// false when b is empty or the number exceeds 64 bits.
func vln(b []byte) (v uint64, ok bool) {
	for i, c := range b {
		if i >= 8 && c != 0 {
			return 0, false
		}
		if i < 8 {
			v |= uint64(c) << (8 * i)
		}
	}
	return v, len(b) > 0
}

// Dates on the wire count years from 2000 in one byte (§3).
const (
	firstYear = 2000
	lastYear  = firstYear + 0xFF

	dt3Size = 3 // year, month, day
	dt5Size = 5 // and hour, minute
)

// appendDT5 appends year, month, day, hour and minute; the zero time is five zero bytes. It fails with ErrTime.
func appendDT5(dst []byte, t fiscal.DeviceTime) ([]byte, error) {
	if t.IsZero() {
		return append(dst, 0, 0, 0, 0, 0), nil
	}
	year, month, day, hour, minute := t.Fields()
	if year < firstYear || year > lastYear {
		return dst, fmt.Errorf("%w: year %d", ErrTime, year)
	}
	return append(dst, byte(year-firstYear), byte(month), byte(day), byte(hour), byte(minute)), nil
}

// appendDT3 appends year, month and day.
func appendDT3(dst []byte, t fiscal.DeviceTime) ([]byte, error) {
	out, err := appendDT5(dst, t)
	if err != nil {
		return dst, err
	}
	return out[:len(out)-(dt5Size-dt3Size)], nil
}

// deviceTime reads a DT3 or a DT5, which b is exactly. All zero is the zero time: the register has none to give. It
// fails with ErrTime.
func deviceTime(b []byte) (fiscal.DeviceTime, error) {
	var f [dt5Size]byte
	copy(f[:], b)
	if f == [dt5Size]byte{} {
		return fiscal.DeviceTime{}, nil
	}
	t, ok := fiscal.NewDeviceTime(firstYear+int(f[0]), int(f[1]), int(f[2]), int(f[3]), int(f[4]))
	if !ok {
		return fiscal.DeviceTime{}, fmt.Errorf("%w: % X", ErrTime, b)
	}
	return t, nil
}
