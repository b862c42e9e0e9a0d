public import IsolationProtocol
internal import Logging
internal import SoulBoxModel
public import SoulBoxStore

extension SandboxKeeper {
    /// How long whoever made or deletes a sandbox has to end that, in seconds.
    private static let settlingSeconds = 10

    /// Ends what is over: lifetimes, idleness, and what nobody else has ended.
    public func sweep() {
        each("expired sandboxes", try store.expired()) { sandbox in try delete(sandbox, reason: "ttl") }
        each("idle sandboxes", try store.idle()) { sandbox in
            switch sandbox.onIdle {
            case .stop: try stop(sandbox, reason: "idle_timeout")
            case .delete: try delete(sandbox, reason: "idle_timeout")
            case .pause: try pauseIdle(sandbox)
            }
        }
        do {
            for (sandbox, isDeleting) in try store.unsettled(olderThan: SandboxKeeper.settlingSeconds) {
                each("unsettled sandboxes", [sandbox]) { try isDeleting ? remove($0) : make($0) }
            }
        } catch {
            log.warning("sandboxes not swept", metadata: ["error": "\(error)"])
        }
    }

    /// Carries out restores whose process died, or that nobody has begun.
    public func sweepRestores() {
        each("restores", try store.pendingRestores()) { sandbox in try make(sandbox) }
    }

    /// One whose processes cannot be held goes on: they are its owner's, who asked for a pause and not for their end.
    private func pauseIdle(_ sandbox: AccountSandbox) throws {
        do {
            try pause(sandbox, reason: "idle_timeout")
        } catch let error as IsolationError where error.code == .notPossible || error.code == .conflict {
            try store.notePauseFailure(sandbox, reason: SandboxKeeper.reason(error))
        }
    }

    /// Compares what is noted with what is: sandboxes without a row end, rows without a sandbox are told as failed.
    public func reconcile() throws {
        let states = try connections.with { connection throws(IsolationError) in try connection.sandboxes() }
        var byID: [[UInt8]: SandboxState] = [:]
        var left = states[...]
        while !left.isEmpty {
            let batch = left.prefix(200)
            left = left.dropFirst(200)
            let ids = batch.compactMap { Identifier.parse($0.id, .sandbox) }
            let known = try store.known(ids)
            for state in batch {
                guard let id = Identifier.parse(state.id, .sandbox), let sandbox = known[id] else {
                    try stopUnknown(state)
                    continue
                }
                byID[id] = state
                if state.executions > 0 || state.processes > 0 { try store.touch(id) }
                try settle(sandbox, state)
                try level(sandbox, state)
            }
        }
        try settleMissing(byID)
    }

    /// Ends what runs in a sandbox that the database does not know. Its files stay: the database may be an older one that
    /// was restored, and nobody has asked for them to go.
    private func stopUnknown(_ state: SandboxState) throws {
        // Those that templates are built in are the scheduler's, which looks after them itself.
        guard state.phase == .running, !state.id.hasPrefix(TemplateBuildName.prefix) else { return }
        log.warning("stopping a sandbox that the database does not know", metadata: ["sandbox.id": "\(state.id)"])
        _ = try connections.with { connection throws(IsolationError) in
            try connection.stopSandbox(state.id, account: state.account)
        }
    }

    /// Rows that are noted as running and that the service did not name: made since it was asked, or gone.
    private func settleMissing(_ byID: [[UInt8]: SandboxState]) throws {
        var last: [UInt8]?
        while true {
            let rows = try store.running(after: last, limit: 200)
            guard let end = rows.last else { return }
            last = end.id
            for sandbox in rows where byID[sandbox.id] == nil {
                do {
                    try settle(sandbox, try inspect(sandbox))
                } catch let error as IsolationError where error.code == .sandboxNotFound {
                    try settle(sandbox, nil)
                }
            }
        }
    }

    /// How a sandbox stands with the service.
    public func inspect(_ sandbox: AccountSandbox) throws -> SandboxState {
        try connections.with { connection throws(IsolationError) in
            try connection.inspectSandbox(sandbox.identifier, account: sandbox.account)
        }
    }

    /// Limits and places that were noted and did not reach the service.
    private func level(_ sandbox: AccountSandbox, _ state: SandboxState) throws {
        guard state.limits != sandbox.limits || state.network != sandbox.network, sandbox.status != .creating,
            state.account == sandbox.account
        else { return }
        do {
            _ = try connections.with { connection throws(IsolationError) in
                try connection.updateSandbox(
                    sandbox.identifier, account: sandbox.account, limits: sandbox.limits, network: sandbox.network)
            }
        } catch {
            guard error.code == .conflict || error.code == .networkUnavailable else { throw error }
            log.warning(
                "limits of a sandbox not applied",
                metadata: ["sandbox.id": "\(sandbox.identifier)", "error": "\(error)"])
        }
    }

    private func delete(_ sandbox: AccountSandbox, reason: String) throws {
        let begun = try store.beginDeletion(
            sandbox.identifier, account: sandbox.accountID, force: true, reason: reason)
        if case .begun(let sandbox) = begun { try remove(sandbox) }
    }

    /// One that cannot be dealt with keeps nobody else waiting.
    private func each(
        _ what: String, _ sandboxes: @autoclosure () throws -> [AccountSandbox],
        _ body: (AccountSandbox) throws -> Void
    ) {
        do {
            for sandbox in try sandboxes() {
                do {
                    try body(sandbox)
                } catch {
                    log.warning(
                        "\(what): one was left",
                        metadata: ["sandbox.id": "\(sandbox.identifier)", "error": "\(error)"])
                }
            }
        } catch {
            log.warning("\(what): none was looked at", metadata: ["error": "\(error)"])
        }
    }
}
