import ArgumentParser
import IsolationProtocol
import SoulBoxStore

/// `soulbox snapshot delete`.
struct SnapshotDelete: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a snapshot that the database does not know; others are deleted over the API.")

    @OptionGroup var options: InstanceOptions
    @Argument(help: "The snapshot's id, as snap_….") var id: String

    func run() throws {
        let connection = try SnapshotCommand.connect(options)
        guard let snapshot = try connection.snapshots().first(where: { $0.id == id }) else {
            throw OperatorError("no such snapshot: \(id)", advice: "soulbox snapshot list shows them.")
        }
        let statuses = try OperatorDatabase.use(options.instance) { try SnapshotStore($0).statuses() }
        if let status = statuses[id] {
            throw OperatorError(
                "the database knows it as \(status.rawValue)", advice: "DELETE /api/snapshots/\(id) deletes it.")
        }
        try connection.removeSnapshot(id, account: snapshot.account)
        print("deleted \(id)")
    }
}
