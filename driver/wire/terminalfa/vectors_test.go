package terminalfa

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// vector is one frame of testdata/vectors (style.md §7), with a name to find its value in values_test.go by.
type vector struct {
	name     string
	source   string
	dir      string    // host: a request; device: a reply
	commands []Command // of a reply: what it may answer
	hex      []byte
	means    string
}

func (v vector) key() string { return v.dir + " " + v.name }

// outside reports that somebody else than this package's authors says what the frame is.
func (v vector) outside() bool { return !strings.HasPrefix(v.source, "self") }

func readVectors(t testing.TB) []vector {
	t.Helper()
	files, err := filepath.Glob("testdata/vectors/*.txt")
	require.NoError(t, err)
	var all []vector
	for _, file := range files {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, block := range strings.Split(string(b), "\n\n") {
			if v, ok := readVector(t, file, block); ok {
				all = append(all, v)
			}
		}
	}
	require.NotEmpty(t, all)
	return all
}

func readVector(t testing.TB, file, block string) (v vector, ok bool) {
	t.Helper()
	for _, l := range strings.Split(block, "\n") {
		if l == "" || strings.HasPrefix(l, "#") {
			continue
		}
		ok = true
		key, value, _ := strings.Cut(l, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "name":
			v.name = value
		case "source":
			v.source = value
		case "dir":
			v.dir = value
		case "command":
			for _, w := range strings.Fields(value) {
				var c byte
				_, err := fmt.Sscanf(w, "%02X", &c)
				require.NoError(t, err, "%s: %s", file, l)
				v.commands = append(v.commands, Command(c))
			}
		case "hex":
			b, err := hex.DecodeString(strings.ReplaceAll(value, " ", ""))
			require.NoError(t, err, "%s: %s", file, l)
			v.hex = b
		case "means":
			v.means = value
		default:
			require.Fail(t, "unknown key", "%s: %s", file, l)
		}
	}
	if ok {
		require.Truef(t, v.name != "" && v.source != "" && v.means != "" && len(v.hex) > 0, "%s: incomplete: %s", file, block)
		require.Contains(t, []string{"host", "device"}, v.dir, "%s: %s", file, block)
		require.Equal(t, v.dir == "device", len(v.commands) > 0, "%s: %s", file, block)
	}
	return v, ok
}

// codec is what the vectors check: the real one, or one broken on purpose.
type codec struct {
	readFrame    func(b []byte) (Frame, error)
	parseRequest func(f Frame) (Request, error)
	parseReply   func(c Command, f Frame) (Reply, error)
	encode       func(value any) ([]byte, error)
}

var realCodec = codec{
	readFrame:    func(b []byte) (Frame, error) { return ReadFrame(bytes.NewReader(b), nil) },
	parseRequest: ParseRequest,
	parseReply:   ParseReply,
	encode: func(value any) ([]byte, error) {
		switch v := value.(type) {
		case *Refusal:
			return AppendRefusal(nil, v.Code), nil
		case request:
			return AppendRequest(nil, v.Request)
		case reply:
			return AppendReply(nil, v.Reply)
		}
		return nil, fmt.Errorf("no encoder for %T", value)
	},
}

// checkDecode holds what the bytes are read as against the vector's words and against the value written in Go.
func checkDecode(c codec, v vector, want any) error {
	f, err := c.readFrame(v.hex)
	if err != nil {
		return err
	}
	if v.dir == "host" {
		r, err := c.parseRequest(f)
		if err != nil {
			return err
		}
		return compare(v, describeRequest(r, false), request{r}, want)
	}
	for _, cmd := range v.commands {
		r, err := c.parseReply(cmd, f)
		var (
			got     any = reply{r}
			means   string
			refusal *Refusal
		)
		switch {
		case err == nil:
			means = describeReply(r, false)
		case errors.As(err, &refusal):
			got, means = refusal, fmt.Sprintf("refused 0x%02X", byte(refusal.Code))
		default:
			return fmt.Errorf("%s: %w", cmd, err)
		}
		if err := compare(v, means, got, want); err != nil {
			return fmt.Errorf("%s: %w", cmd, err)
		}
	}
	return nil
}

func compare(v vector, means string, got, want any) error {
	if means != v.means {
		return fmt.Errorf("means %s, not %s", means, v.means)
	}
	if g, w := fmt.Sprintf("%#v", got), fmt.Sprintf("%#v", want); g != w {
		return fmt.Errorf("value %s, not %s", g, w)
	}
	return nil
}

// checkEncode holds the bytes of the value written in Go against the vector's.
func checkEncode(c codec, v vector, value any) error {
	b, err := c.encode(value)
	if err != nil {
		return err
	}
	if !bytes.Equal(b, v.hex) {
		return fmt.Errorf("bytes % X, not % X", b, v.hex)
	}
	return nil
}

func TestVectorsHaveValues(t *testing.T) {
	t.Parallel()
	vals := values(t)
	seen := map[string]bool{}
	for _, v := range readVectors(t) {
		require.False(t, seen[v.key()], "two vectors are named %q", v.key())
		seen[v.key()] = true
		require.Contains(t, vals, v.key())
	}
	for key := range vals {
		require.True(t, seen[key], "no vector is named %q", key)
	}
}

func TestVectorsBytesToValue(t *testing.T) {
	t.Parallel()
	vals := values(t)
	for _, v := range readVectors(t) {
		t.Run(v.key(), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, checkDecode(realCodec, v, vals[v.key()]), v.source)
		})
	}
}

// oneWay are frames a register may send and we never write so; the reason stands behind each.
var oneWay = map[string]string{
	"device network reversed": "network order is written",
	"device serial padded":    "Text is written as it is, the model knows its width",
}

func TestVectorsValueToBytes(t *testing.T) {
	t.Parallel()
	vals := values(t)
	for _, v := range readVectors(t) {
		if _, skip := oneWay[v.key()]; skip {
			continue
		}
		t.Run(v.key(), func(t *testing.T) {
			t.Parallel()
			require.NoError(t, checkEncode(realCodec, v, vals[v.key()]), v.source)
		})
	}
}

// TestSheetFramesAreAllThere counts the frames of protocols/terminal-fa.md: 61 in §10, one in §1.2 and one in §13.
func TestSheetFramesAreAllThere(t *testing.T) {
	t.Parallel()
	n := 0
	for _, v := range readVectors(t) {
		if v.outside() {
			n++
		}
	}
	require.GreaterOrEqual(t, n, 63)
}

const withoutVector = "testdata/without_vector.txt"

// TestWithoutVector prints each command and reply that nobody outside this package vouches for. The list in the file may
// only shrink: a command that gets a vector is struck out, a new command comes with its vector.
func TestWithoutVector(t *testing.T) {
	t.Parallel()
	requests, replies := map[Command]bool{}, map[Command]bool{}
	for _, v := range readVectors(t) {
		if !v.outside() {
			continue
		}
		if v.dir == "host" {
			requests[Command(v.hex[4])] = true
		} else if v.hex[4] == resultDone {
			for _, c := range v.commands {
				replies[c] = true
			}
		}
	}
	var missing []string
	for i := range specs {
		c := Command(i)
		if !c.Known() {
			continue
		}
		if !requests[c] {
			missing = append(missing, "request "+c.String())
		}
		if !replies[c] {
			missing = append(missing, "reply   "+c.String())
		}
	}
	slices.Sort(missing)
	t.Logf("without an outside vector:\n%s", strings.Join(missing, "\n"))

	b, err := os.ReadFile(withoutVector)
	require.NoError(t, err)
	listed := strings.Split(strings.TrimSpace(string(b)), "\n")
	for _, m := range missing {
		require.Contains(t, listed, m, "a vector was lost, or a command came without one")
	}
	require.Equal(t, missing, listed, "strike from %s what has a vector now", withoutVector)
}
