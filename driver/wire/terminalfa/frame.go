package terminalfa

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Layout of a frame (§1.1):
//
//	offset  size  meaning
//	0       2     START: B6 29
//	2       2     LENGTH, big-endian: CODE + DATA, so 1…1024
//	4       1     CODE: the command in a request, RESULT in a reply
//	5       N     DATA, 0…1023
//	5+N     2     CRC, little-endian, over LENGTH, CODE and DATA
const (
	start0 = 0xB6
	start1 = 0x29

	// MaxData is the longest DATA of a frame.
	MaxData = 1023

	headSize  = 4 // START and LENGTH
	crcSize   = 2
	maxLength = MaxData + 1
	maxNoise  = 256
)

// Results: CODE of a reply.
const (
	resultDone    = 0
	resultRefused = 1
)

// Frame is one request or reply without its envelope.
type Frame struct {
	Code byte // the command in a request; RESULT (0 done, 1 refused) in a reply
	Data []byte
}

// AppendFrame appends the whole frame to dst. It fails with ErrTooLong when DATA exceeds MaxData; dst is then unchanged.
func AppendFrame(dst []byte, f Frame) ([]byte, error) {
	if len(f.Data) > MaxData {
		return dst, errTooLong(len(f.Data))
	}
	begin := len(dst)
	out := append(openFrame(dst, f.Code), f.Data...)
	return sealFrame(out, begin), nil
}

// openFrame appends START, room for LENGTH, and CODE.
func openFrame(dst []byte, code byte) []byte { return append(dst, start0, start1, 0, 0, code) }

// sealFrame fills in LENGTH of the frame that begins at begin and appends its CRC.
func sealFrame(out []byte, begin int) []byte {
	binary.BigEndian.PutUint16(out[begin+2:], uint16(len(out)-begin-headSize))
	return binary.LittleEndian.AppendUint16(out, CRC16(out[begin+2:]))
}

// appender is a request or a reply: something with DATA.
type appender interface {
	AppendData(dst []byte) ([]byte, error)
}

// appendFramed appends a whole frame around a's DATA. dst is unchanged when it fails.
func appendFramed(dst []byte, code byte, a appender) ([]byte, error) {
	begin := len(dst)
	out, err := a.AppendData(openFrame(dst, code))
	if err != nil {
		return dst, err
	}
	if n := len(out) - begin - headSize - 1; n > MaxData {
		return dst, errTooLong(n)
	}
	return sealFrame(out, begin), nil
}

func errTooLong(n int) error {
	return fmt.Errorf("%w: %d bytes of data, a frame takes %d", ErrTooLong, n, MaxData)
}

// ReadFrame reads one frame and not a byte beyond it. buf is scratch: with a capacity of 1030 bytes nothing is allocated.
// Frame.Data aliases it.
//
// At most 256 bytes before START are skipped (§11.2). Errors: ErrNoStart, ErrLength, ErrCRC; io.EOF when the line ends
// before the first byte and io.ErrUnexpectedEOF when it ends inside a frame; whatever else r fails with, such as
// os.ErrDeadlineExceeded, wrapped. A line that ends after nothing but noise is both ErrNoStart and io.ErrUnexpectedEOF.
func ReadFrame(r io.Reader, buf []byte) (Frame, error) {
	head, err := readHead(r, grow(buf, headSize))
	if err != nil {
		return Frame{}, err
	}
	length := int(binary.BigEndian.Uint16(head[2:]))
	if length == 0 || length > maxLength {
		return Frame{}, fmt.Errorf("%w: %d", ErrLength, length)
	}
	whole := grow(head, headSize+length+crcSize)
	if n, err := io.ReadFull(r, whole[headSize:]); err != nil {
		return Frame{}, endInside(headSize+n, len(whole), err)
	}
	covered, got := whole[2:headSize+length], binary.LittleEndian.Uint16(whole[headSize+length:])
	if want := CRC16(covered); got != want {
		return Frame{}, fmt.Errorf("%w: %04X, computed %04X", ErrCRC, got, want)
	}
	return Frame{Code: whole[headSize], Data: whole[headSize+1 : headSize+length : headSize+length]}, nil
}

// readHead finds START and fills window with START and LENGTH. No frame is shorter than the window, so filling it never
// reads beyond the frame, wherever in it START turns up.
func readHead(r io.Reader, window []byte) ([]byte, error) {
	have, skipped := 0, 0
	for {
		n, err := io.ReadFull(r, window[have:])
		have += n
		at := findStart(window[:have])
		skipped += at
		if skipped > maxNoise {
			return nil, fmt.Errorf("%w within %d bytes", ErrNoStart, maxNoise)
		}
		if err != nil {
			if have == at {
				return nil, endOutside(skipped, err)
			}
			return nil, endInside(have-at, headSize, err)
		}
		if at == 0 {
			return window, nil
		}
		have = copy(window, window[at:])
	}
}

// findStart is where START, or a first byte of it at the very end, stands in b; len(b) when it does not.
func findStart(b []byte) int {
	for i, c := range b {
		if c == start0 && (i+1 == len(b) || b[i+1] == start1) {
			return i
		}
	}
	return len(b)
}

// endOutside is an error of the reader while no frame had begun.
func endOutside(skipped int, err error) error {
	ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
	switch {
	case skipped == 0 && ended:
		return io.EOF
	case ended:
		return fmt.Errorf("%w: the line ended after %d bytes of noise: %w", ErrNoStart, skipped, io.ErrUnexpectedEOF)
	case skipped == 0:
		return fmt.Errorf("before a frame: %w", err)
	default:
		return fmt.Errorf("after %d bytes of noise: %w", skipped, err)
	}
}

// endInside is an error of the reader when have of at least want bytes of a frame had come.
func endInside(have, want int, err error) error {
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("after %d bytes of a frame of at least %d: %w", have, want, err)
}

// grow is b with length n, its content kept, reallocated only when its capacity is short.
func grow(b []byte, n int) []byte {
	if n > cap(b) {
		b = slices.Grow(b, n-len(b))
	}
	return b[:n]
}
