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
            retentionMonths = try values.decodeIfPresent(Int.self, forKey: .retentionMonths)
            if let retentionMonths, !(1...120).contains(retentionMonths) {
                throw OperatorError(
                    "reports.retention_months is out of range: \(retentionMonths)",
                    advice: "Give a number from 1 to 120.")
            }
        }

        func resolve(_ settings: inout ServiceConfiguration.Reports) {
            settings.retentionMonths = retentionMonths ?? settings.retentionMonths
        }
    }
}
