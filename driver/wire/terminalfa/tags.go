package terminalfa

// Who and when: the head of every archived document (§5.7).
const (
	TagFNNumber      Tag = 1041
	TagRNM           Tag = 1037
	TagUserINN       Tag = 1018
	TagFDNumber      Tag = 1040
	TagTime          Tag = 1012
	TagFiscalSign    Tag = 1077
	TagShiftNumber   Tag = 1038
	TagReceiptNumber Tag = 1042
	TagFFDVersion    Tag = 1209
)

// Registration (§5.6, §5.7).
const (
	TagAutomatic        Tag = 1001
	TagAutonomous       Tag = 1002
	TagEncryption       Tag = 1056
	TagServices         Tag = 1109
	TagBSO              Tag = 1110
	TagInternetOnly     Tag = 1108
	TagPrinterInAutomat Tag = 1221
	TagTaxSystems       Tag = 1062
	TagUser             Tag = 1048
	TagAddress          Tag = 1009
	TagPlace            Tag = 1187
	TagDeviceNumber     Tag = 1036
	TagOFDINN           Tag = 1017
	TagOFDName          Tag = 1046
	TagFNSSite          Tag = 1060
	TagKKTVersion       Tag = 1188
	TagKKTFFDVersion    Tag = 1189
	TagFNFFDVersion     Tag = 1190
	TagSerial           Tag = 1013
	TagReason           Tag = 1101
	TagUsage12          Tag = 1290
	TagWorkModes        Tag = 9999
	TagWorkModes12      Tag = 9998
)

// Persons.
const (
	TagCashier     Tag = 1021
	TagCashierINN  Tag = 1203
	TagContact     Tag = 1008
	TagSenderEmail Tag = 1117
	TagBuyer       Tag = 1227
	TagBuyerINN    Tag = 1228
	TagBuyerInfo   Tag = 1256
)

// Receipt (§5.3).
const (
	TagOperation     Tag = 1054
	TagTotal         Tag = 1020
	TagItem          Tag = 1059
	TagItemName      Tag = 1030
	TagPrice         Tag = 1079
	TagQuantity      Tag = 1023
	TagSum           Tag = 1043
	TagVAT           Tag = 1199
	TagPaymentMethod Tag = 1214
	TagSubject       Tag = 1212
	TagProductCode   Tag = 1162
	TagUnit          Tag = 1197
	TagMeasure       Tag = 2108
	TagExcise        Tag = 1229
	TagCountry       Tag = 1230
	TagDeclaration   Tag = 1231
	TagItemAttribute Tag = 1191
	TagTaxSystem     Tag = 1055
	TagCash          Tag = 1031
	TagElectronic    Tag = 1081
	TagAdvance       Tag = 1215
	TagCredit        Tag = 1216
	TagOther         Tag = 1217
	TagVATSum20      Tag = 1102
	TagVATSum10      Tag = 1103
	TagVATSum0       Tag = 1104
	TagVATSumNone    Tag = 1105
	TagVATSum120     Tag = 1106
	TagVATSum110     Tag = 1107
	TagCheckProps    Tag = 1192
	TagUserProp      Tag = 1084
	TagUserPropName  Tag = 1085
	TagUserPropValue Tag = 1086
	TagInternet      Tag = 1125
)

// Agents and suppliers (§5.3).
const (
	TagAgent           Tag = 1057
	TagItemAgent       Tag = 1222
	TagAgentOperation  Tag = 1044
	TagAgentPhone      Tag = 1073
	TagReceiverPhone   Tag = 1074
	TagTransferPhone   Tag = 1075
	TagTransferName    Tag = 1026
	TagTransferAddress Tag = 1005
	TagTransferINN     Tag = 1016
	TagSupplierPhone   Tag = 1171
	TagSupplierName    Tag = 1225
	TagSupplierINN     Tag = 1226
)

// Correction (§5.4).
const (
	TagCorrectionType   Tag = 1173
	TagCorrectionBasis  Tag = 1174
	TagCorrectionName   Tag = 1177
	TagCorrectionDate   Tag = 1178
	TagCorrectionNumber Tag = 1179
)

// Shift and settlement reports (§5.7).
const (
	TagDocumentsInShift Tag = 1111
	TagReceiptsInShift  Tag = 1118
	TagUnsentCount      Tag = 1097
	TagUnsentDate       Tag = 1098
	TagFNResource       Tag = 1050
	TagFNReplace        Tag = 1051
	TagFNMemory         Tag = 1052
	TagOFDTimeout       Tag = 1053
)

// Marked goods and industry attributes, FFD 1.2 (§8).
const (
	TagMark           Tag = 2000
	TagPlannedStatus  Tag = 2003
	TagMarkData       Tag = 2007
	TagMarkType       Tag = 2100
	TagMarkMode       Tag = 2102
	TagMarkResult     Tag = 2106
	TagMarkStatus     Tag = 2110
	TagNumerator      Tag = 1293
	TagDenominator    Tag = 1294
	TagIndustry       Tag = 1260
	TagIndustryAgency Tag = 1262
	TagIndustryDate   Tag = 1263
	TagIndustryNumber Tag = 1264
	TagIndustryValue  Tag = 1265
)

// Settings (§5.8).
const (
	TagClock         Tag = 30000
	TagDHCP          Tag = 30001
	TagIP            Tag = 30002
	TagMask          Tag = 30003
	TagGateway       Tag = 30004
	TagOFDIP         Tag = 30005
	TagOFDPort       Tag = 30006
	TagOFDTimer      Tag = 30009
	TagPrintFont     Tag = 30015
	TagReceiptFooter Tag = 30017
	TagRetract       Tag = 30018
	TagPrinterModel  Tag = 30019
	TagPrintCounters Tag = 30020
	TagPrinterBaud   Tag = 30021
	TagControl       Tag = 30030
	TagTCPPort       Tag = 30032
	TagOFDReserved   Tag = 30034
	TagOFDHost       Tag = 30040
	TagOISMHost      Tag = 30050
	TagOISMPort      Tag = 30051
	TagOISMTimer     Tag = 30052
	TagKeyHost       Tag = 30060
	TagKeyPort       Tag = 30061
)
