internal import Glibc
internal import IsolationProtocol
internal import SoulBoxModel
public import SoulBoxStore

extension SandboxKeeper {
    private static let waitMicroseconds: ClosedRange<UInt32> = 2_000...50_000

    /// Makes a sandbox what a snapshot holds, or waits for whoever does that already, and notes how that went.
    ///
    /// On failure a sandbox that was there before stays what it was.
    ///
    /// - Throws: Why the sandbox is not what the snapshot holds.
    func restore(_ sandbox: AccountSandbox, _ restore: SandboxRestore) throws {
        let owner = Identifier.makeUUID()
        var wanted = try store.takeRestore(restore, of: sandbox.id, owner: owner)
        var pause = SandboxKeeper.waitMicroseconds.lowerBound
        while wanted == nil {
            if try isOver(restore, of: sandbox) { return }
            usleep(pause)
            pause = min(pause * 2, SandboxKeeper.waitMicroseconds.upperBound)
            // Where its process has died this one takes it over.
            wanted = try store.takeRestore(restore, of: sandbox.id, owner: owner)
        }
        if let wanted { try carryOut(restore, wanted, owner: owner) }
    }

    private func carryOut(_ restore: SandboxRestore, _ sandbox: AccountSandbox, owner: [UInt8]) throws {
        let lease = WorkLease("restore-lease", log: log) { [store] in
            try store.extendRestore(restore, of: sandbox.id, owner: owner)
        }
        defer { lease.end() }
        do {
            _ = try connections.with { connection throws(IsolationError) in
                try connection.restoreSnapshot(
                    SnapshotRestore(
                        snapshot: restore.snapshot, account: sandbox.account, sandbox: sandbox.identifier,
                        restore: restore.name, includesMemory: restore.includesMemory, limits: sandbox.limits,
                        network: sandbox.network))
            }
        } catch {
            if error.code == .unavailable {
                try store.releaseRestore(restore, of: sandbox.id, owner: owner)
                throw error
            }
            note(sandbox, "not restored", error)
            try noteFailure(error, of: restore, sandbox)
            throw error
        }
        if try store.finishRestore(restore, of: sandbox.id) { return }
        // Deleted meanwhile: whoever deletes it may have been too early.
        if try store.known([sandbox.id]).isEmpty { try remove(sandbox) }
    }

    /// It is what the isolation service says that it is.
    private func noteFailure(_ error: IsolationError, of restore: SandboxRestore, _ sandbox: AccountSandbox) throws {
        let reason = SandboxKeeper.reason(error)
        let state: SandboxState
        do {
            state = try inspect(sandbox)
        } catch let missing as IsolationError where missing.code == .sandboxNotFound {
            return try store.failRestore(restore, of: sandbox.id, status: .error, reason: reason, error: reason)
        }
        let status: SandboxStatus
        switch state.phase {
        case .running: status = .running
        case .stopped: status = .stopped
        case .paused: status = .paused
        case .failed: status = .error
        }
        try store.failRestore(restore, of: sandbox.id, status: status, reason: state.reason, error: reason)
    }

    /// Whether somebody else has ended a restore.
    ///
    /// - Throws: Why it failed.
    private func isOver(_ restore: SandboxRestore, of sandbox: AccountSandbox) throws -> Bool {
        guard let now = try store.find(sandbox.identifier, account: sandbox.accountID) else {
            throw IsolationError(.sandboxNotFound, sandbox.identifier)
        }
        guard let current = now.restore, current.id == restore.id else { return true }
        if let error = current.error { throw IsolationError(.notPossible, error) }
        return current.status != .restoring
    }

    /// Writes a running sandbox's processes to the disk and frees their memory.
    public func pause(_ sandbox: AccountSandbox, reason: String? = nil) throws {
        _ = try connections.with { connection throws(IsolationError) in
            try connection.pauseSandbox(sandbox.identifier, account: sandbox.account)
        }
        try store.move(sandbox.id, from: [.running], to: .paused, event: "paused", reason: reason)
    }

    /// Lets the processes of a paused sandbox go on.
    public func resume(_ sandbox: AccountSandbox) throws {
        _ = try connections.with { connection throws(IsolationError) in
            try connection.resumeSandbox(sandbox.identifier, account: sandbox.account)
        }
        try store.touch(sandbox.id)
        try store.move(sandbox.id, from: [.paused], to: .running, event: "resumed")
    }
}
