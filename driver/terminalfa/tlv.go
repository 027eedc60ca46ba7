package terminalfa

import (
	"fmt"

	wire "frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// tlvBuilder collects tags and the first error. Empty texts are left out: an absent optional tag and an empty one mean
// the same to the register (§3).
type tlvBuilder struct {
	list []wire.TLV
	err  error
}

func (b *tlvBuilder) add(t wire.TLV, err error) {
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("tag %d: %w", t.Tag, err)
	}
	b.list = append(b.list, t)
}

func (b *tlvBuilder) text(tag wire.Tag, s string) {
	if s == "" {
		return
	}
	t, err := wire.String(tag, s)
	b.add(t, err)
}

func (b *tlvBuilder) texts(tag wire.Tag, list []string) {
	for _, s := range list {
		b.text(tag, s)
	}
}

func (b *tlvBuilder) padded(tag wire.Tag, s string, width int) {
	if s == "" {
		return
	}
	t, err := wire.Padded(tag, s, width)
	b.add(t, err)
}

func (b *tlvBuilder) byte(tag wire.Tag, v byte)          { b.add(wire.Byte(tag, v), nil) }
func (b *tlvBuilder) money(tag wire.Tag, m fiscal.Money) { b.add(wire.VLN(tag, uint64(m)), nil) }
func (b *tlvBuilder) nest(tag wire.Tag, inner tlvBuilder) {
	if inner.err != nil && b.err == nil {
		b.err = inner.err
	}
	t, err := wire.STLV(tag, inner.list...)
	b.add(t, err)
}

// quantity writes 1023 with as few decimals as it needs: 1 is 00 01, 1.5 is 01 0F.
func (b *tlvBuilder) quantity(tag wire.Tag, q fiscal.Quantity) {
	v, decimals := uint64(q), 6
	for decimals > 0 && v%10 == 0 {
		v, decimals = v/10, decimals-1
	}
	b.add(wire.FVLN(tag, v, decimals), nil)
}
