import ArgumentParser
import IsolationProtocol
import SoulBoxModel
import SoulBoxStore

/// `soulbox snapshot list`.
struct SnapshotList: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the snapshots, with what the database says of each; `unknown` are those that it has no row of.")

    @OptionGroup var options: InstanceOptions

    func run() throws {
        let snapshots = try SnapshotCommand.connect(options).snapshots()
        let statuses = try OperatorDatabase.use(options.instance) { try SnapshotStore($0).statuses() }
        for snapshot in snapshots {
            print(
                "\(snapshot.id)  account \(snapshot.account)  \(snapshot.image)  \(ByteSize.text(snapshot.sizeBytes))  "
                    + "\(snapshot.hasMemory ? "files and processes" : "files")  \(snapshot.createdAt.rfc3339)  "
                    + "\(statuses[snapshot.id]?.rawValue ?? "unknown")"
                    + (snapshot.parent.map { "  incremental to \($0)" } ?? ""))
        }
    }
}
