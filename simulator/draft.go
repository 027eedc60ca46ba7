package simulator

// draft is the document being built. Texts are kept as they came, in CP866, and items already in the form the archive
// wants. Its buffers live from one document to the next.
type draft struct {
	open byte // what 0x08 shows; 0: none
	data bool // a data command was accepted

	items      int
	itemTLV    tlvs       // finished 1059 records
	itemSum    uint64     // kopecks
	itemGross  [13]uint64 // kopecks by VAT code
	itemAgents bool       // some item carried agent data
	credit     bool       // the items are credit repayments

	agentTLV  tlvs // 0x2C
	agentSent bool

	place     placeData // 0x1F, 0x3F, 0x98
	placeSent bool      // 0x1F, 0x3F

	paid       payments   // 0x2D, 0x2E
	gross      [13]uint64 // kopecks by VAT code, as given by 0x2E
	attributes attributes // 0x2D, 0x2E, 0x2F, 0x98
	basis      basis      // 0x2E, 0x98
	basisSent  bool       // 0x2E
	extraSent  bool       // 0x98
	internet   []byte     // 1125 of 0x98; nil when it was not sent

	cashierSent bool // 0x2F

	kind         byte         // of 12 and E1
	registration registration // 16, E2
	dataSent     bool         // 16, E2, 17

	memory []byte // of the texts above
}

// placeData is the place of settlement: tags 1009, 1187 and 1036. Empty parts were not sent.
type placeData struct{ address, place, automat []byte }

func (p placeData) complete() bool {
	return len(p.address) > 0 && len(p.place) > 0 && len(p.automat) > 0
}

// payments are the tax system 1055 and the amounts of 1031, 1081, 1215, 1216 and 1217 in kopecks.
type payments struct {
	sent bool
	tax  byte
	sums [5]uint64
}

// paymentTags are the tags of payments.sums.
var paymentTags = [5]uint16{1031, 1081, 1215, 1216, 1217}

func (p *payments) total() uint64 {
	var sum uint64
	for _, v := range p.sums {
		sum += v
	}
	return sum
}

// attributes are the optional texts of a document.
type attributes struct {
	contact    []byte // 1008
	cashier    []byte // 1021
	cashierINN []byte // 1203
	buyer      []byte // 1227
	buyerINN   []byte // 1228
	buyerBlock []byte // 1256 of FFD 1.2, its content
	checkProps []byte // 1192
	propName   []byte // 1085
	propValue  []byte // 1086
	sender     []byte // 1117
}

// basis is why a correction is made: tags 1173, 1177, 1178 and 1179.
type basis struct {
	kind   byte // 0 own initiative, 1 by order
	name   []byte
	date   []byte // UNIX, as it came
	number []byte
}

// reset forgets everything but the buffers.
func (d *draft) reset() {
	*d = draft{itemTLV: d.itemTLV[:0], agentTLV: d.agentTLV[:0], memory: d.memory[:0]}
}

// start begins a document.
func (d *draft) start(open byte) {
	d.reset()
	d.open = open
}

// keep copies a value of the request, whose memory is gone after the exchange. Nothing comes back as nil.
func (d *draft) keep(v []byte) []byte {
	if len(v) == 0 {
		return nil
	}
	start := len(d.memory)
	d.memory = append(d.memory, v...)
	return d.memory[start:len(d.memory):len(d.memory)]
}

// over keeps v unless it is empty, then what was there stays.
func (d *draft) over(have, v []byte) []byte {
	if len(v) == 0 {
		return have
	}
	return d.keep(v)
}
