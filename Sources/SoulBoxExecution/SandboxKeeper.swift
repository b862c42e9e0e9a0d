internal import Glibc
public import IsolationProtocol
public import Logging
internal import SoulBoxModel
public import SoulBoxStore

/// Brings persistent sandboxes to where they are wanted: the database says what is wanted, the isolation service what is.
///
/// Every step can be taken twice and by several processes at once: the service knows what it has, and the database notes
/// only changes from what was noted before.
public struct SandboxKeeper: Sendable {
    let store: SandboxStore
    /// The connections to the service.
    public let connections: IsolatorConnections
    let log: Logger

    /// Makes a keeper.
    public init(store: SandboxStore, connections: IsolatorConnections, log: Logger) {
        self.store = store
        self.connections = connections
        self.log = log
    }

    /// Makes a sandbox that is noted as being made, or makes it what a snapshot holds, and notes how that went.
    ///
    /// - Throws: What the service refused, or what kept the database from noting it.
    public func make(_ sandbox: AccountSandbox) throws {
        if let restore = sandbox.restore, restore.status == .restoring { return try self.restore(sandbox, restore) }
        do {
            _ = try connections.with { connection throws(IsolationError) in
                try connection.createSandbox(
                    sandbox.identifier, account: sandbox.account, template: sandbox.image, limits: sandbox.limits,
                    network: sandbox.network)
            }
        } catch {
            // Away for a moment: the sweep tries again.
            guard error.code != .unavailable else { throw error }
            note(sandbox, "not made", error)
            try store.move(
                sandbox.id, from: [.creating], to: .error, event: "error", reason: SandboxKeeper.reason(error))
            throw error
        }
        if try store.move(sandbox.id, from: [.creating], to: .running, event: "running") { return }
        // Deleted while it was made: whoever deletes it may have been too early.
        if try store.known([sandbox.id]).isEmpty { try remove(sandbox) }
    }

    /// Starts a sandbox that does not run.
    public func start(_ sandbox: AccountSandbox) throws {
        do {
            _ = try connections.with { connection throws(IsolationError) in
                try connection.startSandbox(sandbox.identifier, account: sandbox.account)
            }
        } catch {
            guard error.code == .isolationFailed else { throw error }
            note(sandbox, "not started", error)
            try store.move(
                sandbox.id, from: [.stopped, .paused, .running, .error], to: .error, event: "error",
                reason: SandboxKeeper.reason(error))
            throw error
        }
        // One that was paused has gone on where it was.
        try store.move(sandbox.id, from: [.stopped, .error], to: .running, event: "started")
        try store.move(sandbox.id, from: [.paused], to: .running, event: "resumed")
    }

    /// Ends everything in a sandbox.
    public func stop(_ sandbox: AccountSandbox, reason: String? = nil) throws {
        _ = try connections.with { connection throws(IsolationError) in
            try connection.stopSandbox(sandbox.identifier, account: sandbox.account)
        }
        try store.move(sandbox.id, from: [.running, .paused, .error], to: .stopped, event: "stopped", reason: reason)
    }

    /// Removes a sandbox that is noted as being deleted, and forgets it.
    public func remove(_ sandbox: AccountSandbox) throws {
        try connections.with { connection throws(IsolationError) in
            try connection.removeSandbox(sandbox.identifier, account: sandbox.account)
        }
        try store.finishDeletion(sandbox.id)
    }

    /// Notes how a sandbox stands with the service, when that is not what is noted.
    public func settle(_ sandbox: AccountSandbox, _ state: SandboxState?) throws {
        guard let state else {
            if sandbox.status != .creating {
                try store.move(
                    sandbox.id, from: [.running, .paused, .stopped], to: .error, event: "error",
                    reason: "its files are gone")
            }
            return
        }
        switch state.phase {
        case .running:
            // Started by a call that could not note it any more; or stopped since the state was asked for: ask again.
            guard [.error, .stopped, .paused].contains(sandbox.status), try inspect(sandbox).phase == .running else {
                return
            }
            try store.move(sandbox.id, from: [.error, .stopped, .paused], to: .running, event: "running")
        case .stopped:
            // One that was being made, or restored, when the state was asked for, runs by now: ask again.
            guard [.running, .paused].contains(sandbox.status), try inspect(sandbox).phase == .stopped else { return }
            try store.move(
                sandbox.id, from: [.running, .paused], to: .stopped, event: "stopped",
                reason: state.reason ?? "the service was stopped")
        case .paused:
            guard sandbox.status != .paused, try inspect(sandbox).phase == .paused else { return }
            try store.move(sandbox.id, from: [.running, .stopped, .error], to: .paused, event: "paused")
        case .failed:
            try store.move(sandbox.id, from: [.running, .paused], to: .error, event: "error", reason: state.reason)
        }
    }

    func note(_ sandbox: AccountSandbox, _ what: String, _ error: IsolationError) {
        log.error(
            "a sandbox was \(what)", metadata: ["sandbox.id": "\(sandbox.identifier)", "error": "\(error)"])
    }

    /// What its owner is told.
    static func reason(_ error: IsolationError) -> String {
        switch error.code {
        case .templateNotFound: "its template is no longer installed"
        case .networkUnavailable: "the host gives sandboxes no network"
        case .noSpace: "the host's disk is full"
        case .notPossible, .conflict: error.message
        case .snapshotNotFound: "the snapshot is gone"
        default: "the sandbox could not be made"
        }
    }
}

extension AccountSandbox {
    /// What everything in it may use.
    public var limits: SandboxLimits {
        SandboxLimits(
            memoryBytes: memoryBytes, cpuMillicores: cpuMillicores, processes: processes, diskBytes: diskBytes)
    }

    /// What it may reach.
    public var network: SandboxNetwork {
        // What was stored had been read: none is lost here, and if one were, less would be reached and never more.
        let hosts = allowedHosts.compactMap(AllowedHost.init)
        return SandboxNetwork(
            enabled: networkEnabled && (allowedHosts.isEmpty || !hosts.isEmpty), allowedHosts: hosts)
    }
}
