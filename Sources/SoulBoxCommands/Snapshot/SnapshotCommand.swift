import ArgumentParser
import IsolationProtocol

/// `soulbox snapshot`: the snapshots on this machine's disk.
struct SnapshotCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot", abstract: "List, verify and delete the snapshots on this machine's disk.",
        subcommands: [SnapshotList.self, SnapshotVerify.self, SnapshotDelete.self])

    /// The isolation service of a running stack.
    static func connect(_ options: InstanceOptions) throws -> IsolationConnection {
        do {
            return try IsolationConnection(path: options.instance.run + "/isolator.sock")
        } catch {
            throw OperatorError(
                "the isolation service does not answer: \(error)", advice: "Is the stack up? soulbox status")
        }
    }
}
