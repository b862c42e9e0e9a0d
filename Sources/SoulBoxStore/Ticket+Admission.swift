internal import Postgres
internal import SoulBoxModel

extension Ticket {
    /// The seven arguments of `admit()`, in its order, as `$1` to `$7`.
    var parameters: [PostgresParameter] {
        [
            .uuid(credential.keyID), PostgresParameter(bytes: credential.secretHash), onlyParameter,
            PostgresParameter(permission?.rawValue), .text(rateClass.rawValue), addressParameter,
            PostgresParameter(uuid: acting),
        ]
    }

    /// Those permissions that a token allows, as `text[]`; null for a key.
    var onlyParameter: PostgresParameter {
        credential.only.map { .textArray($0.map(\.rawValue).sorted()) } ?? .null
    }

    /// The client's address as `inet`; null when there is none.
    var addressParameter: PostgresParameter { address.isEmpty ? .null : .text(address) }

    /// `admit()` with `parameters`, as the subject of a FROM.
    static let call = "admit($1, $2, $3::text[], $4, $5, $6::inet, $7)"

    /// Reads the columns that `admit()` and `admit_execution()` have in common.
    func admission(_ row: PostgresRow) throws(PostgresError) -> Admission {
        var rate: RateState?
        if let limit = try row.optionalInteger("rate_limit") {
            rate = RateState(
                limit: Int(limit), remaining: Int(try row.optionalInteger("rate_remaining") ?? 0),
                resetAt: try row.optionalInteger("rate_reset") ?? 0)
        }
        let outcome: Admission.Outcome
        switch try row.text("outcome") {
        case "admitted": outcome = .admitted(try caller(row))
        case "throttled": outcome = .throttled
        case "limited": outcome = .limited
        case "no_account": outcome = .noAccount
        case "mismatched": outcome = .mismatched
        case "no_sandbox": outcome = .noSandbox
        case "not_running": outcome = .sandboxNotRunning(status: try row.optionalText("missing") ?? "")
        case "forbidden":
            let missing = try row.optionalText("missing").flatMap(Permission.init(rawValue:))
            outcome = .forbidden(missing: missing ?? .admin)
        case "quota":
            outcome = .quota(
                name: try row.optionalText("missing") ?? "", retryAfterSeconds: Int(try row.integer("retry")))
        case "repeated":
            let execution = Identifier.text(.execution, uuid: try row.bytes("earlier"))
            outcome = .repeated(execution: execution, try caller(row))
        default: outcome = .unauthenticated
        }
        return Admission(outcome, rate: rate)
    }

    private func caller(_ row: PostgresRow) throws(PostgresError) -> Caller {
        Caller(
            keyID: credential.keyID, accountID: try row.bytes("account"),
            permissions: Permission.set(of: try row.textArray("granted")))
    }
}
