import SoulBoxService

extension OperatorConfiguration {
    /// Reports on usage.
    struct Reports: Decodable {
        /// Months that the sums behind them are kept (int, 25).
        var retentionMonths: Int?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case retentionMonths = "retention_months"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            retentionMonths = try StrictKeys.number(values, .retentionMonths, in: "reports", 1...120)
        }

        func resolve(_ settings: inout ServiceConfiguration.Reports) {
            settings.retentionMonths = retentionMonths ?? settings.retentionMonths
        }
    }
}
