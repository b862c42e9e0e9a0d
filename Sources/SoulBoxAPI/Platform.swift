internal import Logging
internal import SoulBoxModel
internal import SoulBoxStore

/// What all routes around accounts share.
struct Platform: Sendable {
    let gate: Gate
    let keys: KeyStore
    let accounts: AccountStore
    let audit: AuditStore
    let idempotency: IdempotencyStore
    let tokens: TokenVerifier
    let seal: ResponseSeal

    /// Changes something once for an Idempotency-Key, with its line in the audit log, and answers.
    func once(
        _ call: Route.Call, _ caller: Caller, _ idempotency: Idempotency?, status: Int,
        _ body: (StoreTransaction) throws(APIError) -> JSONValue
    ) throws(APIError) -> HTTPResponse {
        let entry = auditEntry(call.request, status: status)
        let outcome = try gate.query {
            try self.idempotency.once(
                account: caller.accountID, idempotency: idempotency, audit: entry, seal: seal.seal
            ) { transaction in try body(transaction).bytes }
        }
        call.request.context.isAudited = true
        switch outcome {
        case .fresh(let bytes): return .json(bytes: bytes, status: status)
        case .repeated(let sealed):
            guard let bytes = try? seal.open(sealed) else { throw .internalError }
            return .json(bytes: bytes, status: status)
        case .mismatched:
            call.request.context.isAudited = false
            throw APIError(
                .conflict, "The Idempotency-Key was used for another request",
                details: JSONObject([("field", "Idempotency-Key"), ("reason", "Was used for another request")]))
        }
    }

    /// A request's line in the audit log.
    func auditEntry(_ request: HTTPRequest, status: Int) -> AuditEntry {
        AuditEntry(
            accountID: request.context.caller?.accountID, keyID: request.context.caller?.keyID,
            requestID: request.requestID, address: request.remoteAddress, method: request.method,
            path: String(request.rawPath.prefix(1000)), status: status)
    }
}
