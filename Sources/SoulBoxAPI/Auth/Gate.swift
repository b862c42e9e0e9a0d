internal import Glibc
internal import IsolationProtocol
internal import Logging
internal import SoulBoxMetrics
public import SoulBoxModel
internal import SoulBoxStore

/// Lets requests in: finds out who sends them, and turns what the database says into an answer.
struct Gate: Sendable {
    let credentials: CredentialReader
    let repository: any ExecutionRepository
    /// Counts the requests that limits refuse.
    let refusals: RefusalMetrics?
    let log: Logger

    /// Admits a request as its line of the route table asks for.
    ///
    /// - Throws: 401, 403, 404 or 429; 503 without the database.
    func admit(_ call: Route.Call) throws(APIError) -> Caller {
        let ticket = try ticket(call)
        return try caller(try store { try $0.admit(ticket) }, call.request)
    }

    /// Runs a database call; a failure is logged here and told as 503.
    func store<Value>(_ body: (any ExecutionRepository) throws -> Value) throws(APIError) -> Value {
        try query { try body(repository) }
    }

    /// Runs a database call of any store; a failure is logged here and told as 503, unless it is an answer already.
    func query<Value>(_ body: () throws -> Value) throws(APIError) -> Value {
        do {
            return try body()
        } catch let error as APIError {
            throw error
        } catch {
            log.error("database call failed", metadata: ["error": "\(error)"])
            throw .unavailable
        }
    }

    /// What the database is asked about a request.
    ///
    /// - Throws: 401 when the request carries no credential; 404 for a malformed `X-Account-ID`.
    func ticket(_ call: Route.Call, as rateClass: RateClass? = nil) throws(APIError) -> Ticket {
        let request = call.request
        request.context.rateClass = rateClass ?? call.route.rateClass
        var acting: [UInt8]?
        let credential = try credentials.credential(of: request)
        request.context.credential = credential
        if let account = request.header("X-Account-ID") {
            // Not refused before the credential is checked: nobody unknown learns what an identifier looks like.
            acting = Identifier.parse(account, .account) ?? [UInt8](repeating: 0xff, count: 16)
        }
        return Ticket(
            credential: credential, permission: call.route.access.needed,
            rateClass: request.context.rateClass, address: request.remoteAddress,
            acting: acting, requestID: request.requestID)
    }

    /// The caller who was let in; what is known of it is kept with the request.
    ///
    /// - Throws: 401, 403, 404 or 429. A repeated execution is for whoever handles Idempotency-Keys.
    func caller(_ admission: Admission, _ request: HTTPRequest) throws(APIError) -> Caller {
        request.context.rate = admission.rate
        switch admission.outcome {
        case .admitted(let caller), .repeated(_, let caller):
            request.context.caller = caller
            return caller
        case .unauthenticated: throw .authenticationRequired("The credential is not valid")
        case .throttled:
            refusals?.note(.authentication)
            throw .limitExceeded("Too many failed authentications", retryAfter: Gate.wait(admission.rate))
        case .limited:
            refusals?.note(RefusalMetrics.Limit(rawValue: request.context.rateClass.rawValue) ?? .standard)
            throw .limitExceeded("Rate limit exceeded", retryAfter: Gate.wait(admission.rate))
        case .forbidden(let missing):
            throw .forbidden(missing)
        case .noAccount: throw .notFound("account")
        case .noSandbox: throw .notFound("sandbox")
        case .sandboxNotRunning(let status): throw .isolation(IsolationError(.sandboxNotRunning, status))
        case .quota(let name, let retryAfter):
            refusals?.note(.quota)
            throw .limitExceeded("The quota \(name) is used up", retryAfter: retryAfter, quota: name)
        case .mismatched:
            throw APIError(
                .conflict, "The Idempotency-Key was used for another request",
                details: JSONObject([("field", "Idempotency-Key"), ("reason", "Was used for another request")]))
        }
    }

    /// Seconds until the limit counts anew.
    private static func wait(_ rate: RateState?) -> Int {
        guard let rate else { return 60 }
        return max(1, Int(rate.resetAt - Int64(time(nil))))
    }
}

extension APIError {
    /// No credential, or none that is good; a client learns no more than that.
    static func authenticationRequired(_ message: String) -> APIError {
        APIError(
            .authenticationRequired, message, headers: [.init("WWW-Authenticate", "Bearer realm=\"soulbox\"")])
    }

    /// A rate or a quota is used up.
    public static func limitExceeded(_ message: String, retryAfter seconds: Int, quota: String? = nil) -> APIError {
        var details = JSONObject([("retry_after", JSONValue(seconds))])
        if let quota { details["quota"] = .string(quota) }
        return APIError(
            .resourceLimitExceeded, message, details: details, headers: [.init("Retry-After", String(seconds))])
    }
}
