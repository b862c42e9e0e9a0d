internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel
internal import SoulBoxStore

/// `/snapshots/{id}/restore`: sandboxes become what a snapshot holds, ones that are there and new ones.
struct RestoreRoutes: Sendable {
    /// Less than nginx waits for an answer.
    private static let waitNanoseconds: UInt64 = 60_000_000_000

    let sandboxes: SandboxService
    let store: SnapshotStore

    private var platform: Platform { sandboxes.platform }

    /// The lines of the route table.
    var routes: [Route] {
        [Route("POST", "/api/snapshots/{snapshot_id}/restore", .permission(.snapshotRead), .standard, restore)]
    }

    private func restore(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        // It makes sandboxes, or changes all of one.
        guard caller.may(.sandboxWrite) else { throw .forbidden(.sandboxWrite) }
        let (object, bytes) = try JSONBody.read(call.request, limit: sandboxes.bounds.body)
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let waits = query.bool("wait", &validation) ?? false
        query.refuseUnread(&validation)
        let body = RestoreBody(object, &validation)
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        if let error = validation.error { throw error }
        // Outside of the transaction, which holds rows that others wait for.
        let missing = body.includesMemory == false ? nil : try sandboxes.memorySnapshotsMissing()
        let response = try platform.once(call, caller, idempotency, status: 202) { transaction throws(APIError) in
            try begin(call.parameter("snapshot_id"), body, memoryMissing: missing, caller, transaction)
        }
        let answer = try? JSONParser.parse(response.body)
        let ids =
            answer?["copies"]?.arrayValue?.compactMap { $0["sandbox_id"]?.stringValue }
            ?? [answer?["sandbox_id"]?.stringValue].compactMap { $0 }
        for id in ids {
            let sandbox = try sandboxes.find(id, caller)
            if sandbox.status == .creating { sandboxes.maker.add(sandbox) }
        }
        guard let first = ids.first else { throw .internalError }
        let located = response.adding(.init("Location", "/api/sandboxes/\(first)"))
        guard waits else { return located }
        var ended: [AccountSandbox] = []
        for id in ids { ended.append(try awaitEnd(of: id, caller)) }
        return HTTPResponse(
            status: ended.contains { $0.status == .creating } ? 202 : 200, headers: located.headers,
            body: RestoreRoutes.answer(ended, isList: body.copies != nil).bytes)
    }

    /// Notes what is to be made of which sandboxes.
    private func begin(
        _ id: String, _ body: RestoreBody, memoryMissing: String?, _ caller: Caller, _ transaction: StoreTransaction
    ) throws(APIError) -> JSONValue {
        let found = try platform.gate.query { try store.hold(id, account: caller.accountID, in: transaction) }
        guard let snapshot = found else { throw .notFound("snapshot") }
        guard snapshot.status == .completed else {
            throw APIError(
                .conflict, "The snapshot is not completed",
                details: JSONObject([("status", .string(snapshot.status.rawValue))]))
        }
        let includesMemory = body.includesMemory ?? snapshot.includesMemory
        if includesMemory {
            guard snapshot.includesMemory else {
                throw .isolation(IsolationError(.notPossible, "the snapshot holds no processes"))
            }
            if let memoryMissing { throw .isolation(IsolationError(.notPossible, memoryMissing)) }
        }
        var made: [AccountSandbox] = []
        for _ in 0..<(body.copies ?? 1) {
            let restore = SandboxRestore(
                snapshotID: snapshot.id, includesMemory: includesMemory, takesNetwork: body.takesNetwork)
            var sandbox =
                if let target = body.target {
                    try existing(target, snapshot, caller, transaction)
                } else {
                    try new(snapshot, body, caller, transaction)
                }
            try platform.gate.query { try sandboxes.store.beginRestore(restore, into: sandbox, in: transaction) }
            sandbox.status = .creating
            sandbox.reason = nil
            sandbox.restore = restore
            made.append(sandbox)
        }
        return RestoreRoutes.answer(made, isList: body.copies != nil)
    }

    private func existing(
        _ id: String, _ snapshot: AccountSnapshot, _ caller: Caller, _ transaction: StoreTransaction
    ) throws(APIError) -> AccountSandbox {
        let found = try platform.gate.query {
            try sandboxes.store.find(id, account: caller.accountID, in: transaction)
        }
        guard let sandbox = found else { throw .notFound("sandbox") }
        guard sandbox.status != .creating else {
            throw APIError(
                .conflict, "The sandbox is being made",
                details: JSONObject([("status", .string(sandbox.status.rawValue))]))
        }
        guard sandbox.diskBytes >= snapshot.diskBytes else {
            throw APIError(
                .conflict, "The sandbox's disk is smaller than the snapshot's",
                details: JSONObject([
                    ("disk_limit", .string(ByteSize.text(sandbox.diskBytes))),
                    ("needed", .string(ByteSize.text(snapshot.diskBytes))),
                ]))
        }
        return sandbox
    }

    private func new(
        _ snapshot: AccountSnapshot, _ body: RestoreBody, _ caller: Caller, _ transaction: StoreTransaction
    ) throws(APIError) -> AccountSandbox {
        let origin = try platform.gate.query { try store.origin(of: snapshot, in: transaction) }
        guard var sandbox = origin else {
            throw .isolation(
                IsolationError(
                    .notPossible,
                    "what its sandbox was is not known any more: restore it into a sandbox that is there"))
        }
        sandbox.id = Identifier.makeUUID()
        sandbox.name = body.name ?? snapshot.name
        if !body.takesNetwork {
            sandbox.networkEnabled = false
            sandbox.allowedHosts = []
        }
        let wanted = sandbox
        let refusal = try platform.gate.query {
            try sandboxes.store.create(wanted, key: caller.keyID, in: transaction)
        }
        if let refusal { throw .quota(refusal) }
        return sandbox
    }

    /// Waits until a sandbox is what the snapshot holds.
    ///
    /// - Throws: 422 with the reason when that failed.
    private func awaitEnd(of id: String, _ caller: Caller) throws(APIError) -> AccountSandbox {
        let deadline = MonotonicClock.now + RestoreRoutes.waitNanoseconds
        var pause: UInt32 = 5000
        while true {
            let sandbox = try sandboxes.find(id, caller)
            if let error = sandbox.restore?.error { throw .isolation(IsolationError(.notPossible, error)) }
            // Still going on after all that time: the answer is as without waiting.
            if sandbox.status != .creating || MonotonicClock.now > deadline { return sandbox }
            usleep(pause)
            pause = min(pause * 2, 50_000)
        }
    }

    private static func answer(_ made: [AccountSandbox], isList: Bool) -> JSONValue {
        guard let first = made.first else { return [:] }
        var answer = first.detailsJSON(nil, files: nil).objectValue ?? JSONObject([])
        if isList { answer["copies"] = .array(made.map(\.summaryJSON)) }
        return .object(answer)
    }
}
