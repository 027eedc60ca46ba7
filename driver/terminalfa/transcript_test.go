package terminalfa_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/encoding/charmap"

	"frpoold/driver"
	"frpoold/driver/link"
	"frpoold/driver/terminalfa"
	"frpoold/fiscal"
)

// A transcript is what a host must say and a register answers, without the codec between: the frames here are bytes from
// the sheet, or built by the few lines of this file.
//
//	source: where the bytes are from
//	> B6 29 …            the host's frame, to the byte
//	> self 30 2A000000   the same, with START, LENGTH and CRC put around code and data
//	< …                  what the register answers; several lines are several pieces
//	wait 1s              silence before the next piece
//	hold                 the register says no more and keeps the line open
//	include FILE         another transcript
//
// In self lines, "text" is CP866 and [1030 "text"] a TLV around what stands in it. Each > is a line of its own (§2.2). A >
// without < is a line that the register closes without a word.
type transcript struct {
	name  string
	turns []turn
}

type turn struct {
	where  string
	host   []byte
	pieces []piece
	hold   bool
}

type piece struct {
	wait  time.Duration
	bytes []byte
}

const transcripts = "testdata/transcripts"

func readTranscript(t *testing.T, name string) transcript {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(transcripts, name))
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(string(text), "source: "), "%s must begin with its source", name)
	return parseTranscript(t, name, string(text))
}

func parseTranscript(t *testing.T, name, text string) transcript {
	t.Helper()
	s := transcript{name: name}
	var wait time.Duration
	for n, line := range strings.Split(text, "\n") {
		where := fmt.Sprintf("%s:%d", name, n+1)
		line = strings.TrimSpace(line)
		verb, rest, _ := strings.Cut(line, " ")
		switch verb {
		case "", "#", "source:":
		case "include":
			s.turns = append(s.turns, readTranscript(t, rest).turns...)
		case ">":
			s.turns = append(s.turns, turn{where: where, host: frameBytes(t, where, rest)})
			wait = 0
		case "<":
			require.NotEmpty(t, s.turns, where)
			last := &s.turns[len(s.turns)-1]
			last.pieces = append(last.pieces, piece{wait, frameBytes(t, where, rest)})
			wait = 0
		case "wait":
			d, err := time.ParseDuration(rest)
			require.NoError(t, err, where)
			wait = d
		case "hold":
			s.turns[len(s.turns)-1].hold = true
		default:
			require.Fail(t, "cannot read", "%s: %s", where, line)
		}
	}
	return s
}

// frameBytes reads the rest of a > or < line.
func frameBytes(t *testing.T, where, text string) []byte {
	t.Helper()
	body, self := strings.CutPrefix(text, "self ")
	b, rest := bytesOf(t, where, body)
	require.Empty(t, rest, where)
	if !self {
		return b
	}
	out := binary.BigEndian.AppendUint16([]byte{0xB6, 0x29}, uint16(len(b)))
	out = append(out, b...)
	return binary.LittleEndian.AppendUint16(out, crcCCITT(out[2:]))
}

// bytesOf reads hex, "text" and [tag …] up to a closing bracket.
func bytesOf(t *testing.T, where, text string) (b []byte, rest string) {
	t.Helper()
	for {
		text = strings.TrimLeft(text, " ")
		switch {
		case text == "" || text[0] == ']':
			return b, text
		case text[0] == '"':
			quoted, after, ok := strings.Cut(text[1:], `"`)
			require.True(t, ok, where)
			raw, err := charmap.CodePage866.NewEncoder().Bytes([]byte(quoted))
			require.NoError(t, err, where)
			b, text = append(b, raw...), after
		case text[0] == '[':
			number, after, ok := strings.Cut(text[1:], " ")
			require.True(t, ok, where)
			tag, err := strconv.ParseUint(number, 10, 16)
			require.NoError(t, err, where)
			var value []byte
			value, text = bytesOf(t, where, after)
			require.True(t, strings.HasPrefix(text, "]"), where)
			text = text[1:]
			b = binary.LittleEndian.AppendUint16(b, uint16(tag))
			b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
			b = append(b, value...)
		default:
			end := strings.IndexAny(text, ` "[]`)
			if end < 0 {
				end = len(text)
			}
			raw, err := hex.DecodeString(text[:end])
			require.NoError(t, err, where)
			b, text = append(b, raw...), text[end:]
		}
	}
}

// crcCCITT is CRC-16/CCITT-FALSE bit by bit, from its definition in §1.2 and not from the codec.
func crcCCITT(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc ^= uint16(c) << 8
		for range 8 {
			carry := crc & 0x8000
			crc <<= 1
			if carry != 0 {
				crc ^= 0x1021
			}
		}
	}
	return crc
}

// Every frame of every transcript stands by the sheet's §1.1, and the routine that says so computes its check value.
func TestTranscriptsAreFrames(t *testing.T) {
	t.Parallel()
	require.Equal(t, uint16(0x29B1), crcCCITT([]byte("123456789")))
	files, err := filepath.Glob(filepath.Join(transcripts, "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	sound := func(where string, b []byte) {
		require.GreaterOrEqual(t, len(b), 7, where)
		require.Equal(t, []byte{0xB6, 0x29}, b[:2], where)
		require.Equal(t, len(b)-6, int(binary.BigEndian.Uint16(b[2:])), where)
		require.Equal(t, crcCCITT(b[2:len(b)-2]), binary.LittleEndian.Uint16(b[len(b)-2:]), "%s: check of % X", where, b)
	}
	for _, f := range files {
		for _, turn := range readTranscript(t, filepath.Base(f)).turns {
			sound(turn.where+" host", turn.host)
			var reply []byte
			for _, p := range turn.pieces {
				reply = append(reply, p.bytes...)
			}
			if len(reply) > 0 && !turn.hold {
				sound(turn.where+" register", reply)
			}
		}
	}
}

// player is a register that knows nothing but its transcript.
type player struct {
	t     *testing.T
	turns []turn
	wg    sync.WaitGroup

	mu     sync.Mutex
	next   int
	faults []string
}

// play makes a device on a register that plays the transcript. When the test ends, every line of it must have been
// spoken.
func play(t *testing.T, s transcript, o driver.Options) driver.Device {
	t.Helper()
	p := &player{t: t, turns: s.turns}
	if o.Timeouts == (driver.Timeouts{}) {
		o.Timeouts = production
	}
	d, err := terminalfa.Open(t.Context(), link.Pipe{Name: s.name, Accept: p.accept}, o)
	require.NoError(t, err)
	t.Cleanup(func() {
		p.wg.Wait()
		p.mu.Lock()
		defer p.mu.Unlock()
		require.Empty(t, p.faults)
		if p.next < len(p.turns) {
			require.Fail(t, "the host fell silent", "next would have been %s: % X", p.turns[p.next].where, p.turns[p.next].host)
		}
	})
	return d
}

func (p *player) accept(c net.Conn) error {
	p.wg.Go(func() {
		defer func() { _ = c.Close() }()
		if err := p.speak(c); err != nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.faults = append(p.faults, err.Error())
		}
	})
	return nil
}

func (p *player) speak(c net.Conn) error {
	head := make([]byte, 4)
	if n, err := io.ReadFull(c, head); err != nil {
		return fmt.Errorf("a line of %d bytes: %w", n, err)
	}
	rest := make([]byte, int(binary.BigEndian.Uint16(head[2:]))+2)
	if _, err := io.ReadFull(c, rest); err != nil {
		return fmt.Errorf("the host's frame ends early: % X % X: %w", head, rest, err)
	}
	have := slices.Concat(head, rest)

	p.mu.Lock()
	if p.next >= len(p.turns) {
		p.mu.Unlock()
		return fmt.Errorf("the host says more than the transcript: % X", have)
	}
	turn := p.turns[p.next]
	p.next++
	p.mu.Unlock()
	if !bytes.Equal(turn.host, have) {
		return fmt.Errorf("%s:\nwant % X\nhave % X", turn.where, turn.host, have)
	}
	for _, piece := range turn.pieces {
		time.Sleep(piece.wait)
		if _, err := c.Write(piece.bytes); err != nil {
			return nil //nolint:nilerr // the host may go when it has heard enough
		}
	}
	if turn.hold {
		_, _ = io.Copy(io.Discard, c)
	}
	return nil
}

func at(t *testing.T, text string) fiscal.DeviceTime {
	t.Helper()
	var d fiscal.DeviceTime
	require.NoError(t, d.UnmarshalText([]byte(text)))
	return d
}
