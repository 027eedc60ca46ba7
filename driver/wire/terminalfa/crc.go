package terminalfa

// crcPoly is the polynomial of CRC-16/CCITT-FALSE: initial value FFFF, most significant bit first, no reflection, no
// final XOR (§1.2).
const crcPoly = 0x1021

var crcTable = makeCRCTable()

func makeCRCTable() (t [256]uint16) {
	for i := range t {
		crc := uint16(i) << 8
		for range 8 {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ crcPoly
			} else {
				crc <<= 1
			}
		}
		t[i] = crc
	}
	return t
}

// CRC16 is the check value over b: in a frame LENGTH, CODE and DATA, and for an RNM its ASCII text (§1.2, §5.6).
func CRC16(b []byte) uint16 {
	crc := uint16(0xFFFF)
	for _, c := range b {
		crc = crc<<8 ^ crcTable[byte(crc>>8)^c]
	}
	return crc
}
