package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"strconv"
	"sync"
	"time"

	"frpoold/fiscal"
)

// logins finds integrations by param1. It is an index over Circuits, made anew when an integration was added or removed
// through this API, and after loginsAge in any case.
type logins struct {
	circuits Circuits
	now      func() time.Time

	mu      sync.Mutex
	made    time.Time
	version uint64 // counts changes; an index made before one is not kept after it
	valid   bool
	byHash  map[[sha256.Size]byte][]login
}

type login struct {
	id     fiscal.IntegrationID
	secret [sha256.Size]byte
}

const loginsAge = 5 * time.Second

func newLogins(c Circuits, now func() time.Time) *logins { return &logins{circuits: c, now: now} }

// changed says that an integration was added or removed.
func (l *logins) changed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.version++
	l.valid = false
}

// check is as quick for a name that nobody has as for a wrong password: both cost two hashes and one comparison.
// Integrations of different types may share a name; the caller is those whose secret fits.
func (l *logins) check(name, password string) (caller, bool) {
	candidates := l.index()[sha256.Sum256([]byte(name))]
	if len(candidates) == 0 {
		candidates = []login{{}} // no secret has this hash
	}
	given := sha256.Sum256([]byte(password))
	var who caller
	for _, c := range candidates {
		if subtle.ConstantTimeCompare(given[:], c.secret[:]) == 1 {
			who.integrations = append(who.integrations, c.id)
		}
	}
	if len(who.integrations) == 0 {
		return caller{}, false
	}
	who.name = "integration " + strconv.FormatUint(uint64(who.integrations[0]), 10)
	return who, true
}

func (l *logins) index() map[[sha256.Size]byte][]login {
	now := l.now()
	l.mu.Lock()
	if l.valid && now.Sub(l.made) < loginsAge {
		defer l.mu.Unlock()
		return l.byHash
	}
	version := l.version
	l.mu.Unlock()

	fresh := map[[sha256.Size]byte][]login{}
	for _, v := range l.circuits.CircuitViews() {
		for _, g := range v.Integrations {
			if g.Param2 == "" { // no secret is no password
				continue
			}
			key := sha256.Sum256([]byte(g.Param1))
			fresh[key] = append(fresh[key], login{g.ID, sha256.Sum256([]byte(g.Param2))})
		}
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if version == l.version {
		l.byHash, l.made, l.valid = fresh, now, true
	}
	return fresh
}
