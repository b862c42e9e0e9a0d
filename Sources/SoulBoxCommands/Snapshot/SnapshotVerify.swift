import ArgumentParser
import IsolationProtocol

/// `soulbox snapshot verify`.
struct SnapshotVerify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read all of the snapshots and compare them with what was noted when they were taken.")

    @OptionGroup var options: InstanceOptions
    @Argument(help: "The snapshots, as snap_…; all without any.") var ids: [String] = []

    func run() throws {
        let connection = try SnapshotCommand.connect(options)
        let known = try connection.snapshots()
        for id in ids where !known.contains(where: { $0.id == id }) {
            throw OperatorError("no such snapshot: \(id)", advice: "soulbox snapshot list shows them.")
        }
        var damaged = 0
        for snapshot in known where ids.isEmpty || ids.contains(snapshot.id) {
            do {
                _ = try connection.verifySnapshot(snapshot.id, account: snapshot.account)
                print("\(snapshot.id)  whole")
            } catch {
                damaged += 1
                print("\(snapshot.id)  \(error.message)")
            }
        }
        if damaged > 0 { throw ExitCode(1) }
    }
}
