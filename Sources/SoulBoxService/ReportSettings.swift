internal import SoulBoxModel

extension ServiceConfiguration {
    /// Reports on usage.
    public struct Reports: Sendable, Equatable {
        /// How long the sums behind them are kept, in months; default 25.
        public var retentionMonths = 25

        /// The defaults.
        public init() {}
    }
}

extension ServiceConfiguration.Reports {
    var json: JSONValue { ["retention_months": JSONValue(retentionMonths)] }

    init(json: JSONValue) throws(ServiceConfiguration.Malformed) {
        guard let months = json["retention_months"]?.integerValue, months >= 1 else {
            throw ServiceConfiguration.Malformed(key: "reports.retention_months")
        }
        self.init()
        retentionMonths = Int(months)
    }
}
