import Foundation
import IsolationProtocol
import SoulBoxModel
import Testing

/// A snapshot on a test's isolator.
struct TestSnapshot {
    let id: String
    let sandbox: TestSandbox
    let description: SnapshotDescription

    init(
        of sandbox: TestSandbox, memory: Bool = false, compress: Bool = false, parent: TestSnapshot? = nil,
        id: String = Identifier.make(.snapshot), progress: (SnapshotProgress) -> Void = { _ in }
    ) throws {
        self.id = id
        self.sandbox = sandbox
        description = try sandbox.connect().createSnapshot(
            SnapshotRequest(
                id: id, sandbox: sandbox.id, account: sandbox.account, parent: parent?.id, isCompressed: compress,
                includesMemory: memory), progress: progress)
    }

    /// Its directory.
    var directory: String { sandbox.isolator.sandboxDirectory + "/.snapshots/\(id)" }

    /// Restores it into a sandbox, a new one by default.
    @discardableResult
    func restore(
        into target: TestSandbox? = nil, memory: Bool? = nil, limits: SandboxLimits = TestSandbox.limits,
        network: SandboxNetwork = .none, restore: String = Identifier.make(.execution)
    ) throws -> TestSandbox {
        let target = target ?? TestSandbox(adopted: Identifier.make(.sandbox), on: sandbox.isolator)
        _ = try target.connect().restoreSnapshot(
            SnapshotRestore(
                snapshot: id, account: sandbox.account, sandbox: target.id, restore: restore,
                includesMemory: memory ?? description.hasMemory, limits: limits, network: network))
        return target
    }

    func remove() throws { try sandbox.connect().removeSnapshot(id, account: sandbox.account) }

    func verify() throws { _ = try sandbox.connect().verifySnapshot(id, account: sandbox.account) }
}

/// The failure of the isolation service that a test wants.
func refusal(_ body: () throws -> Void) -> IsolationError? {
    do {
        try body()
        return nil
    } catch {
        return error as? IsolationError
    }
}
