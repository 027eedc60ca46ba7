package dispatcher

import (
	"math/rand/v2"
	"time"

	"frpoold/fiscal"
)

// crockford is Crockford's base 32: no I, L, O, U, ascending in ASCII, every character in CP866.
const crockford = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// idSource makes job ids: 44 bits of Unix milliseconds, then 36 bits that start at random in each millisecond and count.
// 80 bits are the 16 characters that fit FFD tag 1192, so an id is its receipt's stamp, and ids ascend with time. The
// store refuses an id it has, so a clock set back costs a retry, not a clash.
type idSource struct {
	rand *rand.Rand
	ms   uint64
	low  uint64
}

const lowBits = 36

func (s *idSource) next(now time.Time) fiscal.JobID {
	if ms := uint64(now.UnixMilli()); ms > s.ms {
		// The top bit starts at 0, so that counting cannot overflow within one millisecond.
		s.ms, s.low = ms, s.rand.Uint64N(1<<(lowBits-1))
	} else {
		s.low++
	}
	var out [16]byte
	high, low := s.ms&(1<<44-1), s.low
	// 80 bits, five at a time, from the right: 35 of low, then the 36th joined with high.
	for i := 15; i >= 9; i-- {
		out[i] = crockford[low&31]
		low >>= 5
	}
	rest := high<<1 | low&1
	for i := 8; i >= 0; i-- {
		out[i] = crockford[rest&31]
		rest >>= 5
	}
	return fiscal.JobID(out[:])
}
