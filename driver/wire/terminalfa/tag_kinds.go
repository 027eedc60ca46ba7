package terminalfa

// kind is how a tag's value is written (§3).
type kind uint8

const (
	kindBytes kind = iota // opaque, and every tag the table does not have
	kindText
	kindPadded // text of fixed width
	kindByte
	kindU16
	kindU32
	kindMoney   // VLN of kopecks
	kindDecimal // FVLN
	kindUnix
	kindDT5
	kindSign
	kindSTLV
)

// tagInfo is what descriptions and Text need to know of a tag.
type tagInfo struct {
	kind kind
	name string
}

var tags = map[Tag]tagInfo{
	TagFNNumber:      {kindPadded, "fn"},
	TagRNM:           {kindPadded, "rnm"},
	TagUserINN:       {kindPadded, "inn"},
	TagFDNumber:      {kindU32, "fd"},
	TagTime:          {kindUnix, "time"},
	TagFiscalSign:    {kindSign, "sign"},
	TagShiftNumber:   {kindU32, "shift"},
	TagReceiptNumber: {kindU32, "receipt"},
	TagFFDVersion:    {kindByte, "ffd"},

	TagAutomatic:        {kindByte, "automatic"},
	TagAutonomous:       {kindByte, "autonomous"},
	TagEncryption:       {kindByte, "encryption"},
	TagServices:         {kindByte, "services"},
	TagBSO:              {kindByte, "bso"},
	TagInternetOnly:     {kindByte, "internet_only"},
	TagPrinterInAutomat: {kindByte, "printer_in_automat"},
	TagTaxSystems:       {kindByte, "tax_systems"},
	TagUser:             {kindText, "user"},
	TagAddress:          {kindText, "address"},
	TagPlace:            {kindText, "place"},
	TagDeviceNumber:     {kindText, "device_number"},
	TagOFDINN:           {kindPadded, "ofd_inn"},
	TagOFDName:          {kindText, "ofd_name"},
	TagFNSSite:          {kindText, "fns_site"},
	TagKKTVersion:       {kindText, "kkt_version"},
	TagKKTFFDVersion:    {kindByte, "kkt_ffd"},
	TagFNFFDVersion:     {kindByte, "fn_ffd"},
	TagSerial:           {kindPadded, "serial"},
	TagReason:           {kindByte, "reason"},
	TagUsage12:          {kindU32, "usage"},
	TagWorkModes:        {kindByte, "work_modes"},
	TagWorkModes12:      {kindByte, "work_modes_12"},

	TagCashier:     {kindText, "cashier"},
	TagCashierINN:  {kindPadded, "cashier_inn"},
	TagContact:     {kindText, "contact"},
	TagSenderEmail: {kindText, "sender"},
	TagBuyer:       {kindText, "buyer"},
	TagBuyerINN:    {kindPadded, "buyer_inn"},
	TagBuyerInfo:   {kindSTLV, "buyer_info"},

	TagOperation:     {kindByte, "operation"},
	TagTotal:         {kindMoney, "total"},
	TagItem:          {kindSTLV, "item"},
	TagItemName:      {kindText, "name"},
	TagPrice:         {kindMoney, "price"},
	TagQuantity:      {kindDecimal, "quantity"},
	TagSum:           {kindMoney, "sum"},
	TagVAT:           {kindByte, "vat"},
	TagPaymentMethod: {kindByte, "method"},
	TagSubject:       {kindByte, "subject"},
	TagProductCode:   {kindText, "product_code"},
	TagUnit:          {kindText, "unit"},
	TagMeasure:       {kindByte, "measure"},
	TagExcise:        {kindMoney, "excise"},
	TagCountry:       {kindText, "country"},
	TagDeclaration:   {kindText, "declaration"},
	TagItemAttribute: {kindText, "item_attribute"},
	TagTaxSystem:     {kindByte, "tax_system"},
	TagCash:          {kindMoney, "cash"},
	TagElectronic:    {kindMoney, "electronic"},
	TagAdvance:       {kindMoney, "advance"},
	TagCredit:        {kindMoney, "credit"},
	TagOther:         {kindMoney, "other"},
	TagVATSum20:      {kindMoney, "vat20"},
	TagVATSum10:      {kindMoney, "vat10"},
	TagVATSum0:       {kindMoney, "vat0"},
	TagVATSumNone:    {kindMoney, "vat_none"},
	TagVATSum120:     {kindMoney, "vat120"},
	TagVATSum110:     {kindMoney, "vat110"},
	TagCheckProps:    {kindText, "check_props"},
	TagUserProp:      {kindSTLV, "user_prop"},
	TagUserPropName:  {kindText, "prop_name"},
	TagUserPropValue: {kindText, "prop_value"},
	TagInternet:      {kindByte, "internet"},

	TagAgent:           {kindByte, "agent"},
	TagItemAgent:       {kindByte, "item_agent"},
	TagAgentOperation:  {kindText, "agent_operation"},
	TagAgentPhone:      {kindText, "agent_phone"},
	TagReceiverPhone:   {kindText, "receiver_phone"},
	TagTransferPhone:   {kindText, "transfer_phone"},
	TagTransferName:    {kindText, "transfer_name"},
	TagTransferAddress: {kindText, "transfer_address"},
	TagTransferINN:     {kindPadded, "transfer_inn"},
	TagSupplierPhone:   {kindText, "supplier_phone"},
	TagSupplierName:    {kindText, "supplier_name"},
	TagSupplierINN:     {kindPadded, "supplier_inn"},

	TagCorrectionType:   {kindByte, "correction_type"},
	TagCorrectionBasis:  {kindSTLV, "basis"},
	TagCorrectionName:   {kindText, "basis_name"},
	TagCorrectionDate:   {kindUnix, "basis_date"},
	TagCorrectionNumber: {kindText, "basis_number"},

	TagDocumentsInShift: {kindU32, "documents"},
	TagReceiptsInShift:  {kindU32, "receipts"},
	TagUnsentCount:      {kindU32, "unsent"},
	TagUnsentDate:       {kindUnix, "unsent_since"},
	TagFNResource:       {kindByte, "fn_resource"},
	TagFNReplace:        {kindByte, "fn_replace"},
	TagFNMemory:         {kindByte, "fn_memory"},
	TagOFDTimeout:       {kindByte, "ofd_timeout"},

	TagMark:           {kindText, "mark"},
	TagPlannedStatus:  {kindByte, "planned_status"},
	TagMarkData:       {kindSTLV, "mark_data"},
	TagMarkType:       {kindByte, "mark_type"},
	TagMarkMode:       {kindByte, "mark_mode"},
	TagMarkResult:     {kindByte, "mark_result"},
	TagMarkStatus:     {kindByte, "mark_status"},
	TagNumerator:      {kindU32, "numerator"},
	TagDenominator:    {kindU32, "denominator"},
	TagIndustry:       {kindSTLV, "industry"},
	TagIndustryAgency: {kindText, "agency"},
	TagIndustryDate:   {kindText, "act_date"},
	TagIndustryNumber: {kindText, "act_number"},
	TagIndustryValue:  {kindText, "act_value"},

	TagClock:         {kindDT5, "clock"},
	TagDHCP:          {kindByte, "dhcp"},
	TagIP:            {kindText, "ip"},
	TagMask:          {kindText, "mask"},
	TagGateway:       {kindText, "gateway"},
	TagOFDIP:         {kindText, "ofd_ip"},
	TagOFDPort:       {kindU16, "ofd_port"},
	TagOFDTimer:      {kindU16, "ofd_timer"},
	TagPrintFont:     {kindByte, "print_font"},
	TagReceiptFooter: {kindText, "receipt_footer"},
	TagRetract:       {kindByte, "retract"},
	TagPrinterModel:  {kindByte, "printer_model"},
	TagPrintCounters: {kindByte, "print_counters"},
	TagPrinterBaud:   {kindU32, "printer_baud"},
	TagControl:       {kindByte, "control"},
	TagTCPPort:       {kindU16, "tcp_port"},
	TagOFDReserved:   {kindText, "ofd_reserved"},
	TagOFDHost:       {kindText, "ofd_host"},
	TagOISMHost:      {kindText, "oism_host"},
	TagOISMPort:      {kindU16, "oism_port"},
	TagOISMTimer:     {kindU16, "oism_timer"},
	TagKeyHost:       {kindText, "key_host"},
	TagKeyPort:       {kindU16, "key_port"},
}
