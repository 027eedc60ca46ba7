package simulator

import (
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"frpoold/driver/wire/terminalfa"
)

// exchange answers one request, through a fault if one strikes. again means that the connection may go on.
func (d *device) exchange(l *line, f terminalfa.Frame) (again bool, restart time.Duration) {
	d.mu.Lock()
	d.exchanges++
	hit, struck := d.strike(f.Code)
	keepOpen := d.keepOpen
	d.mu.Unlock()
	if struck {
		d.log.Debug("fault", "kind", hit.Kind, "command", terminalfa.Command(f.Code))
		if faultKinds[hit.Kind].before {
			if proceed := d.spoilRequest(l, hit); !proceed {
				return false, 0
			}
			struck = false
		}
	}
	reply, restarts, alive := d.perform(l, f)
	if !alive {
		return false, 0
	}
	if restarts {
		restart = d.rack.o.Restart
	}
	if struck {
		d.spoilReply(l, hit, reply)
		return false, restart
	}
	return l.send(reply) && keepOpen, restart
}

// spoilRequest is a fault that strikes before the model. It returns whether the request reaches the model after all.
func (d *device) spoilRequest(l *line, hit Fault) (proceed bool) {
	switch hit.Kind {
	case DelayRequest:
		return d.wait(hit.Delay, l.lost)
	case DropRequest:
		l.silence(idleTime)
	case Hang:
		l.silence(0)
	case CutRequest, ResetBefore:
		reset(l.Conn)
	case RebootBefore:
		d.power(false, hit.Delay)
	case RefuseCode:
		l.send(terminalfa.AppendRefusal(d.out[:0], terminalfa.ErrorCode(hit.Code)))
	default: // the others strike the reply
	}
	return false
}

// spoilReply is a fault that strikes what the model said.
func (d *device) spoilReply(l *line, hit Fault, reply []byte) {
	part := hit.AfterBytes
	if part < 0 {
		part = len(reply) / 2
	}
	cut := min(part, len(reply))
	switch hit.Kind {
	case DropReply:
		l.silence(idleTime)
	case DelayReply:
		if d.wait(hit.Delay, l.lost) {
			l.send(reply)
		}
	case SplitReply:
		if l.send(reply[:cut]) && d.wait(hit.Delay, l.lost) {
			l.send(reply[cut:])
		}
	case NoiseBefore:
		l.send(append(d.noise(part, true), reply...))
	case NoiseAfter:
		l.send(append(reply, d.noise(part, true)...))
	case CorruptCRC:
		reply[len(reply)-1] ^= 0x01
		l.send(reply)
	case CorruptData:
		reply[len(reply)-3] ^= 0x01
		l.send(reply)
	case RepeatReply:
		l.send(append(reply, reply...))
	case CutReply:
		l.send(reply[:cut])
	case HalfReply:
		if l.send(reply[:cut]) {
			l.silence(idleTime)
		}
	case Rubbish:
		l.send(d.noise(part, false))
	case ResetAfter:
		reset(l.Conn)
	case CloseAfter: // the caller closes
	case RefuseAfter:
		l.send(terminalfa.AppendRefusal(d.out[:0], terminalfa.ErrorCode(hit.Code)))
	case RebootAfter:
		d.power(false, hit.Delay)
	default: // the others strike the request
	}
}

// noise is n random bytes, without a START marker in them if plain.
func (d *device) noise(n int, plain bool) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	b := make([]byte, n)
	for i := range b {
		b[i] = randomByte(d.rand, plain)
	}
	return b
}

func randomByte(r *rand.Rand, plain bool) byte {
	for {
		if c := byte(r.Uint32()); !plain || c != 0xB6 {
			return c
		}
	}
}

// errCut ends the reading of a request that a cut_request fault breaks off.
var errCut = errors.New("the request is cut off")

// source is where the next request is read from: the line's buffer, or the line itself, byte by byte counted, while a
// cut_request fault is laid.
func (d *device) source(l *line) io.Reader {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.in.Buffered() > 0 || !slices.ContainsFunc(d.faults, func(f Fault) bool { return f.Kind == CutRequest }) {
		return d.in
	}
	return &cutReader{device: d, from: l.Conn}
}

// codeEnd is where START, LENGTH and CODE of a frame end.
const codeEnd = 5

// cutReader reads a request and stops for good where a fault cuts it.
type cutReader struct {
	device *device
	from   io.Reader
	head   [codeEnd]byte
	got    int
	limit  int // 0: not decided, the command is not known yet
}

func (c *cutReader) Read(p []byte) (int, error) {
	most := codeEnd - c.got
	if c.got >= codeEnd {
		if c.limit == 0 {
			c.limit = c.device.cutAt(c.head[codeEnd-1])
		}
		if most = c.limit - c.got; most <= 0 {
			return 0, errCut
		}
	}
	n, err := c.from.Read(p[:min(len(p), most)])
	if c.got < codeEnd {
		copy(c.head[c.got:], p[:n])
	}
	c.got += n
	return n, err
}

// cutAt is after how many bytes the request for command is cut off.
func (d *device) cutAt(command byte) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if hit, ok := d.strikeIf(command, func(k FaultKind) bool { return k == CutRequest }); ok {
		return max(hit.AfterBytes, codeEnd)
	}
	return math.MaxInt
}
