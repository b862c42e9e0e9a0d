extension UsageGrouping {
    /// The sums by day that answer it.
    var table: String {
        switch self {
        case .day, .language, .status, .reason, .account: "usage_by_day"
        case .key: "usage_by_day_and_key"
        case .sandbox: "usage_by_day_and_sandbox"
        }
    }

    /// The expression that tells the groups apart, where `day` is what gives the day.
    func subject(day: String) -> String {
        switch self {
        case .day: day
        case .language: "runtime"
        case .status: "status"
        case .reason: "reason"
        case .key: "key_id"
        case .sandbox: "sandbox_id"
        case .account: "account_id"
        }
    }

    /// Whether that is an identifier.
    var subjectIsIdentifier: Bool { [.key, .sandbox, .account].contains(self) }

    /// The expression for the name of a row's `subject`: of what belongs to the account `$1`, and to no other.
    func name(in row: String) -> String {
        switch self {
        case .day, .language, .status, .reason: "NULL::text"
        case .key: "(SELECT k.name FROM api_keys k WHERE k.id = \(row).subject AND k.account_id = $1::uuid)"
        case .sandbox:
            """
            (SELECT s.name FROM sandboxes s
                WHERE s.id = \(row).subject AND s.account_id = $1::uuid AND s.status <> 'deleting')
            """
        case .account: "(SELECT a.name FROM accounts a WHERE a.id = \(row).subject)"
        }
    }
}
