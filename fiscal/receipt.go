package fiscal

// Receipt is what a client asks to be made: the content of FFD form 3, without what the register adds itself.
// It has passed Check before a device sees it. Texts are Unicode; every character exists in CP866.
type Receipt struct {
	Operation Operation `json:"operation"`
	TaxSystem TaxSystem `json:"tax_system"`
	Customer  Customer  `json:"customer"`
	Items     []Item    `json:"items"`
	Payments  Payments  `json:"payments"`

	Cashier    string `json:"cashier,omitempty"`     // 1021; registers in automatic mode need none
	CashierINN INN    `json:"cashier_inn,omitempty"` // 1203

	SenderEmail string `json:"sender_email,omitempty"` // 1117
	Internet    bool   `json:"internet,omitempty"`     // 1125, the settlement was made on the internet

	// Place of settlement, for registers that were registered without one (FFD 1009, 1187, 1036).
	Address      string `json:"location,omitempty"`
	Place        string `json:"payment_address,omitempty"`
	DeviceNumber string `json:"device_number,omitempty"`

	CheckProps string     `json:"additional_check_props,omitempty"` // 1192 as the client gave it
	UserProps  *UserProps `json:"additional_user_props,omitempty"`  // 1084 as the client gave it

	Agent    *AgentInfo    `json:"agent_info,omitempty"`    // of the whole receipt (FFD ≤ 1.1)
	Supplier *SupplierInfo `json:"supplier_info,omitempty"` // with Agent: only its phones exist at this level
}

// Customer is the buyer.
type Customer struct {
	Contact string `json:"contact"`        // 1008, e-mail or phone
	Name    string `json:"name,omitempty"` // 1227
	INN     INN    `json:"inn,omitempty"`  // 1228
}

// Item is one position of a receipt (FFD 1059).
type Item struct {
	Name        string        `json:"name"`     // 1030
	Price       Money         `json:"price"`    // 1079, discounts included
	Quantity    Quantity      `json:"quantity"` // 1023
	Sum         Money         `json:"sum"`      // 1043
	VAT         VAT           `json:"vat"`      // 1199
	Method      PaymentMethod `json:"payment_method"`
	Subject     Subject       `json:"subject"`
	Measure     Measure       `json:"measure"`                      // 2108, FFD 1.2
	Unit        string        `json:"measurement_unit,omitempty"`   // 1197, FFD ≤ 1.1
	UserData    string        `json:"user_data,omitempty"`          // 1191
	Excise      *Money        `json:"excise,omitempty"`             // 1229
	CountryCode string        `json:"country_code,omitempty"`       // 1230
	Declaration string        `json:"declaration_number,omitempty"` // 1231
	ProductCode string        `json:"nomenclature_code,omitempty"`  // 1162, hex digits, FFD ≤ 1.1
	Agent       *AgentInfo    `json:"agent_info,omitempty"`         // 1222 + 1223
	Supplier    *SupplierInfo `json:"supplier_info,omitempty"`      // 1224 + 1226
}

// Payments are the five kinds of tags 1031, 1081, 1215, 1216, 1217. Cash is net: what was handed over less the change.
type Payments struct {
	Cash       Money `json:"cash,omitempty"`
	Electronic Money `json:"electronic,omitempty"`
	Advance    Money `json:"advance,omitempty"`
	Credit     Money `json:"credit,omitempty"`
	Other      Money `json:"other,omitempty"`
}

// Total is the sum of the five.
func (p Payments) Total() Money { return p.Cash + p.Electronic + p.Advance + p.Credit + p.Other }

// UserProps is FFD 1084: the name (1085) and value (1086) of a user's own attribute.
type UserProps struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// AgentInfo is the agent's data of FFD 1057 / 1222 and 1223.
type AgentInfo struct {
	Type          AgentType             `json:"type"`
	PayingAgent   *PayingAgentInfo      `json:"paying_agent,omitempty"`
	Receiver      *PhonesInfo           `json:"receive_payments_operator,omitempty"`
	MoneyTransfer *TransferOperatorInfo `json:"money_transfer_operator,omitempty"`
}

// PayingAgentInfo is FFD 1044 and 1073.
type PayingAgentInfo struct {
	Operation string   `json:"operation,omitempty"`
	Phones    []string `json:"phones,omitempty"`
}

// PhonesInfo is FFD 1074.
type PhonesInfo struct {
	Phones []string `json:"phones,omitempty"`
}

// TransferOperatorInfo is FFD 1075, 1026, 1005 and 1016.
type TransferOperatorInfo struct {
	Phones  []string `json:"phones,omitempty"`
	Name    string   `json:"name,omitempty"`
	Address string   `json:"address,omitempty"`
	INN     INN      `json:"inn,omitempty"`
}

// SupplierInfo is FFD 1171, 1225 and 1226.
type SupplierInfo struct {
	Phones []string `json:"phones,omitempty"`
	Name   string   `json:"name,omitempty"`
	INN    INN      `json:"inn,omitempty"`
}

// Total is the sum of the items, FFD 1020.
func (r *Receipt) Total() Money {
	var sum Money
	for i := range r.Items {
		sum += r.Items[i].Sum
	}
	return sum
}

// VATs is the set of rates the items use.
func (r *Receipt) VATs() VATSet {
	var s VATSet
	for i := range r.Items {
		s = s.With(r.Items[i].VAT)
	}
	return s
}

// Agents is the mask of agent types used on the receipt or its items.
func (r *Receipt) Agents() AgentType {
	var mask AgentType
	if r.Agent != nil {
		mask |= r.Agent.Type
	}
	for i := range r.Items {
		if a := r.Items[i].Agent; a != nil {
			mask |= a.Type
		}
	}
	return mask
}

// Needs is what a register must be able to do for a receipt; the dispatcher chooses by it without reading the receipt.
type Needs struct {
	TaxSystem TaxSystem `json:"tax_system"`
	VATs      VATSet    `json:"vats"`
	Agents    AgentType `json:"agents,omitempty"`
}

// Needs lists what a register must be able to do for the receipt.
func (r *Receipt) Needs() Needs { return Needs{r.TaxSystem, r.VATs(), r.Agents()} }

// Cashier signs shift reports: tags 1021 and 1203. Registers in automatic mode need none.
type Cashier struct {
	Name string `json:"name,omitempty"`
	INN  INN    `json:"inn,omitempty"`
}
