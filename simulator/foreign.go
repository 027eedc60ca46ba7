package simulator

import (
	"context"
	"fmt"

	"frpoold/driver/wire/terminalfa"
	"frpoold/fiscal"
)

// MakeForeignReceipt lets another host, say a shop assistant with a program of his own, make a receipt on register n
// between two commands of ours. Like a careful host it cancels what hangs, opens the shift when it is closed, and takes
// its turn behind the connections that wait. Faults and the service time do not touch it.
func (r *Rack) MakeForeignReceipt(ctx context.Context, n int, total fiscal.Money) (fiscal.DocNumber, error) {
	d, err := r.device(n)
	if err != nil {
		return 0, err
	}
	if total <= 0 || uint64(total) > maxMoney {
		return 0, fmt.Errorf("total %s of a foreign receipt, want more than 0, at most %s", total, fiscal.Money(maxMoney))
	}
	select {
	case d.turn <- struct{}{}:
		defer func() { <-d.turn }()
	case <-ctx.Done():
		return 0, ctx.Err()
	case <-r.stop:
		return 0, ErrClosed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.powered {
		return 0, ErrPowerOff
	}
	for _, q := range d.reg.foreignReceipt(uint64(total)) {
		if code := d.reg.ask(q); code != done {
			return 0, fmt.Errorf("the register refused %s: %w", q.Command(), &terminalfa.Refusal{Code: terminalfa.ErrorCode(code)})
		}
	}
	return fiscal.DocNumber(d.reg.lastFD()), nil
}

// foreignReceipt is what the other host says.
func (r *register) foreignReceipt(total uint64) []terminalfa.Request {
	var talk []terminalfa.Request
	say := func(q terminalfa.Request) { talk = append(talk, q) }
	if r.doc.open != 0 {
		say(terminalfa.Bare{Cmd: 0x10})
	}
	person := []terminalfa.TLV{{Tag: 1021, Value: cp866("Иванов И. И.")}}
	if fn := r.kept.FN; fn != nil && !fn.Shift.Open {
		begin := terminalfa.BeginShift{Cmd: 0x21, Print: terminalfa.PrintNo}
		commit := terminalfa.BeginShift{Cmd: 0x22}
		if r.printAtCommit {
			begin.Print, commit.Print = terminalfa.PrintUnset, terminalfa.PrintNo
		}
		say(begin)
		if !r.automatic() {
			say(terminalfa.TLVRequest{Cmd: 0x2F, List: person})
		}
		say(commit)
	}
	say(terminalfa.Bare{Cmd: 0x23})
	item := []terminalfa.TLV{
		{Tag: 1030, Value: cp866("Чужой товар")}, terminalfa.VLN(1079, total), terminalfa.FVLN(1023, 1, 0),
		terminalfa.Byte(1199, byte(fiscal.VATNone)), terminalfa.Byte(1214, byte(fiscal.FullPayment)), terminalfa.Byte(1212, 1),
	}
	place := []terminalfa.TLV{
		{Tag: 1009, Value: cp866("г. Тест")}, {Tag: 1187, Value: cp866("Касса")}, {Tag: 1036, Value: []byte("1")},
	}
	g, _ := r.current()
	money := []terminalfa.TLV{terminalfa.Byte(1055, g.Tax&-g.Tax), terminalfa.VLN(1031, total)}
	for _, tag := range paymentTags[1:] {
		money = append(money, terminalfa.VLN(terminalfa.Tag(tag), 0))
	}
	if r.newForm() {
		say(terminalfa.TLVRequest{Cmd: 0x96, List: item})
		say(terminalfa.TLVRequest{Cmd: 0x2D, List: money})
		say(terminalfa.TLVRequest{Cmd: 0x98, List: append(place, person...)})
	} else {
		wrapped, err := terminalfa.STLV(1059, item...)
		if err != nil {
			panic(fmt.Sprintf("simulator: the foreign item: %v", err))
		}
		say(terminalfa.TLVRequest{Cmd: 0x2B, List: []terminalfa.TLV{wrapped}})
		if !g.placed() {
			say(terminalfa.TLVRequest{Cmd: 0x1F, List: place})
		}
		say(terminalfa.TLVRequest{Cmd: 0x2D, List: money})
	}
	say(terminalfa.FormReceipt{Operation: 1, Total: total})
	return talk
}

// ask puts a request to the model as a host would, without a line.
func (r *register) ask(q terminalfa.Request) refusal {
	data, err := q.AppendData(nil)
	if err != nil {
		return badFormat
	}
	_, code, _ := r.execute(terminalfa.Frame{Code: byte(q.Command()), Data: data}, func() bool { return true })
	return code
}
