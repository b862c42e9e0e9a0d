internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// `/snapshots`: take, look at and remove snapshots of sandboxes.
struct SnapshotRoutes: Sendable {
    let sandboxes: SandboxService
    let store: SnapshotStore

    private var platform: Platform { sandboxes.platform }

    /// The lines of the route table.
    var routes: [Route] {
        [
            Route("POST", "/api/sandboxes/{sandbox_id}/snapshots", .permission(.snapshotWrite), .standard, create),
            Route("GET", "/api/sandboxes/{sandbox_id}/snapshots", .permission(.snapshotRead), .standard, listOfSandbox),
            Route("GET", "/api/snapshots", .permission(.snapshotRead), .standard, list),
            Route("GET", "/api/snapshots/{snapshot_id}", .permission(.snapshotRead), .standard, show),
            Route("DELETE", "/api/snapshots/{snapshot_id}", .permission(.snapshotWrite), .standard, remove),
        ]
    }

    private func create(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let (object, bytes) = try JSONBody.read(call.request, limit: sandboxes.bounds.body)
        var validation = Validation()
        let body = SnapshotBody(object, &validation)
        let idempotency = IdempotencyKey.read(call.request, bytes, &validation)
        if let error = validation.error { throw error }
        let sandbox = try sandboxes.find(call.parameter("sandbox_id"), caller)
        if body.includesMemory {
            try sandboxes.requireMemorySnapshots()
            // What can be known at once is told at once.
            guard sandbox.status == .running || sandbox.status == .creating else {
                throw .isolation(IsolationError(.notPossible, "the sandbox does not run: it has no memory to hold"))
            }
        }
        var snapshot = AccountSnapshot(
            accountID: caller.accountID, sandboxID: sandbox.id, name: body.name, diskBytes: sandbox.diskBytes)
        snapshot.description = body.description
        snapshot.form = body.form
        snapshot.parentID = body.parent
        snapshot.isCompressed = body.compress
        snapshot.includesMemory = body.includesMemory
        snapshot.tags = body.tags
        let wanted = snapshot
        let response = try platform.once(call, caller, idempotency, status: 202) { transaction throws(APIError) in
            switch try platform.gate.query({ try store.create(wanted, in: transaction) }) {
            case .success(let noted): return noted.createdJSON
            case .failure(let refusal): throw .snapshot(refusal)
            }
        }
        guard let id = (try? JSONParser.parse(response.body))?["snapshot_id"]?.stringValue else { return response }
        return response.adding(.init("Location", "/api/snapshots/\(id)"))
    }

    private func listOfSandbox(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        try list(call, of: call.parameter("sandbox_id"))
    }

    private func list(_ call: Route.Call) throws(APIError) -> HTTPResponse { try list(call, of: nil) }

    private func list(_ call: Route.Call, of sandbox: String?) throws(APIError) -> HTTPResponse {
        var validation = Validation()
        var query = QueryReader(call.request.query, &validation)
        let status: AccountSnapshot.Status? = query.choice("status", &validation)
        let form: AccountSnapshot.Form? = query.choice("type", &validation)
        var id: [UInt8]?
        if sandbox == nil, let text = query.text("sandbox_id") {
            id = Identifier.parse(text, .sandbox)
            if id == nil { validation.fail("sandbox_id", "Is no sandbox's identifier") }
        }
        var tag: (name: String, value: String)?
        if let text = query.text("tag") {
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 2, !parts[0].isEmpty {
                tag = (parts[0], parts[1])
            } else {
                validation.fail("tag", "Must be name=value")
            }
        }
        let page = query.page(.snapshot, &validation)
        query.refuseUnread(&validation)
        let caller = try platform.gate.admit(call)
        if let error = validation.error { throw error }
        if let sandbox { id = try sandboxes.find(sandbox, caller).id }
        let listing = try platform.gate.query { [id, tag] in
            try store.list(
                account: caller.accountID, sandbox: id, status: status, form: form, tag: tag, page: page)
        }
        return Paging.response(
            "snapshots", listing.items.map(\.detailsJSON), total: listing.total, page,
            next: listing.items.last?.identifier, call.request)
    }

    private func show(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let found = try platform.gate.query {
            try store.find(call.parameter("snapshot_id"), account: caller.accountID)
        }
        guard let found else { throw .notFound("snapshot") }
        return .json(found.detailsJSON)
    }

    private func remove(_ call: Route.Call) throws(APIError) -> HTTPResponse {
        let caller = try platform.gate.admit(call)
        let id = call.parameter("snapshot_id")
        let deletion = try platform.gate.query { try store.beginDeletion(id, account: caller.accountID) }
        switch deletion {
        case .notFound: throw .notFound("snapshot")
        case .creating: throw APIError(.conflict, "The snapshot is being taken")
        case .needed(let count):
            throw APIError(
                .conflict, "Other snapshots are incremental to it",
                details: JSONObject([("snapshots", .integer(count))]))
        case .restoring(let count):
            throw APIError(
                .conflict, "Sandboxes are becoming what it holds",
                details: JSONObject([("sandboxes", .integer(count))]))
        case .begun:
            // The scheduler removes its files: as soon as no restore reads them any more.
            return .json([
                "snapshot_id": .string(id), "status": "deleting", "message": "Snapshot is being deleted",
            ])
        }
    }
}

extension APIError {
    /// Why no snapshot is taken.
    static func snapshot(_ refusal: SnapshotStore.Refusal) -> APIError {
        switch refusal {
        case .quota(let name): return .limitExceeded("The quota \(name) is used up", retryAfter: 60, quota: name)
        case .noSandbox: return .notFound("sandbox")
        case .noParent:
            var validation = Validation()
            validation.fail(
                "parent_snapshot_id", "The sandbox has no completed snapshot that this one could be incremental to")
            return validation.error ?? .internalError
        }
    }
}
