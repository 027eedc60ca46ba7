package terminalfa

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/require"
)

// sample is the vendor's own example, §1.2.
var sample = []byte{0xB6, 0x29, 0x00, 0x05, 0x30, 0x01, 0x00, 0x00, 0x00, 0x95, 0xC8}

func TestCRC16(t *testing.T) {
	t.Parallel()
	require.Equal(t, uint16(0x29B1), CRC16([]byte("123456789")), "check value of §1.2")
	require.Equal(t, uint16(20662), CRC16([]byte("0000000001"+"001234567894"+"00000000550199000001")), "RNM of §5.6")
	require.Equal(t, uint16(0xFFFF), CRC16(nil))
}

func TestAppendFrame(t *testing.T) {
	t.Parallel()
	got, err := AppendFrame([]byte("x"), Frame{Code: 0x30, Data: []byte{1, 0, 0, 0}})
	require.NoError(t, err)
	require.Equal(t, append([]byte("x"), sample...), got)

	longest, err := AppendFrame(nil, Frame{Data: make([]byte, MaxData)})
	require.NoError(t, err)
	require.Len(t, longest, 1030)
	f, err := ReadFrame(bytes.NewReader(longest), nil)
	require.NoError(t, err)
	require.Len(t, f.Data, MaxData)

	got, err = AppendFrame([]byte("x"), Frame{Data: make([]byte, MaxData+1)})
	require.ErrorIs(t, err, ErrTooLong)
	require.Equal(t, []byte("x"), got)
}

func TestReadFrame(t *testing.T) {
	t.Parallel()
	noise := func(n int) []byte { return bytes.Repeat([]byte{0xB6}, n) }
	wrongCRC := bytes.Clone(sample)
	wrongCRC[10] ^= 1
	tests := []struct {
		name string
		in   []byte
		want error // nil: the sample
	}{
		{"clean", sample, nil},
		{"noise", append([]byte("noise"), sample...), nil},
		{"noise of first start bytes", append(noise(3), sample...), nil},
		{"noise ending in a first start byte", append([]byte{1, 2, start0}, sample...), nil},
		{"256 bytes of noise", append(noise(256), sample...), nil},
		{"257 bytes of noise", append(noise(257), sample...), ErrNoStart},
		{"endless noise", bytes.Repeat([]byte{0}, 4096), ErrNoStart},
		{"nothing", nil, io.EOF},
		{"noise only", []byte("no"), ErrNoStart},
		{"noise only, of the window's size", []byte("nois"), ErrNoStart},
		{"half a start", []byte{start0}, io.ErrUnexpectedEOF},
		{"start only", sample[:2], io.ErrUnexpectedEOF},
		{"head only", sample[:4], io.ErrUnexpectedEOF},
		{"without CRC", sample[:9], io.ErrUnexpectedEOF},
		{"length 0", []byte{start0, start1, 0, 0, 0xFF, 0xFF}, ErrLength},
		{"length 1025", append([]byte{start0, start1, 4, 1}, make([]byte, 1027)...), ErrLength},
		{"wrong CRC", wrongCRC, ErrCRC},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for name, r := range map[string]io.Reader{
				"at once": bytes.NewReader(tt.in), "byte by byte": iotest.OneByteReader(bytes.NewReader(tt.in)),
				"with the end": iotest.DataErrReader(bytes.NewReader(tt.in)),
			} {
				f, err := ReadFrame(r, make([]byte, 0, 1030))
				if tt.want == nil {
					require.NoError(t, err, name)
					require.Equal(t, Frame{Code: 0x30, Data: []byte{1, 0, 0, 0}}, f, name)
				} else {
					require.ErrorIs(t, err, tt.want, name)
				}
			}
		})
	}
}

func TestReadFrameTellsSilenceFromEnd(t *testing.T) {
	t.Parallel()
	_, err := ReadFrame(bytes.NewReader(nil), nil)
	require.NotErrorIs(t, err, io.ErrUnexpectedEOF)
	_, err = ReadFrame(bytes.NewReader([]byte("no")), nil)
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	require.NotErrorIs(t, err, io.EOF)

	broken := errors.New("broken")
	for n := range len(sample) {
		for _, cause := range []error{os.ErrDeadlineExceeded, broken} {
			_, err := ReadFrame(io.MultiReader(bytes.NewReader(sample[:n]), iotest.ErrReader(cause)), nil)
			require.ErrorIs(t, err, cause, "after %d bytes", n)
			require.NotErrorIs(t, err, ErrNoStart)
		}
	}
	_, err = ReadFrame(io.MultiReader(bytes.NewReader([]byte("noise")), iotest.ErrReader(os.ErrDeadlineExceeded)), nil)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.ErrorContains(t, err, "5 bytes of noise")
}

func TestReadFrameLeavesTheNextFrame(t *testing.T) {
	t.Parallel()
	for skip := range 9 {
		r := bytes.NewReader(append(append(bytes.Repeat([]byte{0}, skip), sample...), sample...))
		for range 2 {
			f, err := ReadFrame(r, nil)
			require.NoError(t, err)
			require.Equal(t, []byte{1, 0, 0, 0}, f.Data)
		}
		require.Zero(t, r.Len())
	}
	// A frame with an impossible length is left where its length ends.
	r := bytes.NewReader([]byte{start0, start1, 0, 0, 'x'})
	_, err := ReadFrame(r, nil)
	require.ErrorIs(t, err, ErrLength)
	require.Equal(t, 1, r.Len())
}

// It counts allocations, so it does not run in parallel.
func TestReadFrameUsesTheBuffer(t *testing.T) {
	buf := make([]byte, 0, 1030)
	f, err := ReadFrame(bytes.NewReader(sample), buf)
	require.NoError(t, err)
	f.Data[0] = 0x77
	require.Equal(t, byte(0x77), buf[:cap(buf)][5], "Data aliases the buffer")
	require.Equal(t, len(f.Data), cap(f.Data), "appending to Data must not overwrite the checksum")

	r := bytes.NewReader(nil)
	require.Zero(t, testing.AllocsPerRun(100, func() {
		r.Reset(sample)
		if _, err := ReadFrame(r, buf); err != nil {
			t.Error(err)
		}
	}))
	for _, small := range []int{0, 1, 4, 5, 10} {
		_, err := ReadFrame(bytes.NewReader(sample), make([]byte, 0, small))
		require.NoError(t, err)
	}
}
