package simulator

import (
	"fmt"
	"math"
	"strings"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

const (
	fnLifeDays       = 470 // «15 months» (domain/ffd.md §3.4)
	maxRegistrations = 30  // on one FN (sheet §10, 0x07)
)

// purpose is what a document is begun for; an FN at its end still closes its shift and itself.
type purpose uint8

const (
	anyDocument purpose = iota
	shiftOpening
	closing
)

// fnAllows tells what in the storage itself stands in the way of a new document.
func (r *register) fnAllows(p purpose) refusal {
	fn, now := r.kept.FN, r.now()
	age := now.Sub(r.lastTime())
	switch {
	case r.critical:
		return fnFailure
	case p != closing && dayOf(now).Sub(fn.Expires) > 0:
		return fnLifeOver
	case p != closing && r.lastFD() >= fn.Capacity:
		return archiveFull
	case r.ofdAge() > ofdBlocked:
		return ofdWaitsTooLong
	case len(r.archive) > 0 && (p == shiftOpening && age < -reopenSlip || p != shiftOpening && age < 0):
		return badFNTime
	}
	return done
}

// warnings is byte 4 of the answer to 0x08.
func (r *register) warnings() byte {
	fn := r.kept.FN
	var w byte
	left := fn.Expires.Sub(dayOf(r.now())).Hours() / 24
	if left <= 3 {
		w |= warnReplaceNow
	}
	if left <= 30 {
		w |= warnResource
	}
	if uint64(r.lastFD())*10 >= uint64(fn.Capacity)*9 {
		w |= warnMemory
	}
	if r.ofdAge() > ofdOverdue {
		w |= warnOFD
	}
	if r.critical {
		w |= warnCritical
	}
	return w
}

// newStorage puts a fresh FN into the register.
func (r *register) newStorage(number string, capacity uint32) {
	r.kept.FN = &storage{Number: number, Phase: fiscal.PhaseReady, Expires: addDays(r.now(), fnLifeDays), Capacity: capacity}
	r.archive = nil
	r.powerCut()
}

// makeRNM is a registration number whose check fits (sheet §5.6).
func makeRNM(ordinal uint64, inn, serial string) string {
	n := fmt.Sprintf("%010d", ordinal)
	return n + rnmCheck(n, inn, serial)
}

func rnmCheck(ordinal, inn, serial string) string {
	pad := func(s string, width int) string { return strings.Repeat("0", max(width-len(s), 0)) + s }
	sum := terminalfa.CRC16([]byte(ordinal + pad(inn, 12) + pad(serial, 20)))
	return fmt.Sprintf("%06d", sum)
}

func validRNM(rnm, inn, serial string) bool {
	return len(rnm) == 16 && allDigits(rnm) && rnm[10:] == rnmCheck(rnm[:10], inn, serial)
}

// registrationsLeft is what 0x07 tells beside the expiry.
func (s *storage) registrationsLeft() (left, made byte) {
	n := min(len(s.Registrations), math.MaxUint8)
	return byte(max(maxRegistrations-n, 0)), byte(n)
}
