import ArgumentParser
import Foundation
import SoulBoxModel

/// `soulbox status`: what runs.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Show the processes of the stack.")

    @OptionGroup var options: InstanceOptions

    func run() throws {
        let instance = options.instance
        guard SupervisorLock.holder(instance) != nil, let state = StackState.read(instance.stateFile) else {
            print("not running (\(instance.home))")
            throw ExitCode(3)
        }
        print(
            "instance \(instance.name), \(state.isReady ? "ready" : "starting"), http://localhost:\(state.httpPort)/api"
        )
        print("process                 pid      state    uptime    restarts  resident")
        for entry in state.entries {
            let isAlive = ProcessTable.birth(of: entry.pid) == entry.birth
            let columns: [(String, Int)] = [
                (entry.name, 22), (isAlive ? String(entry.pid) : "-", 8), (isAlive ? "running" : "down", 8),
                (ProcessTable.age(of: entry.pid).map { "\($0) s" } ?? "-", 9), (String(entry.restarts), 9),
                (ProcessTable.residentBytes(of: entry.pid).map(ByteSize.text) ?? "-", 8),
            ]
            print(
                columns.map { $0.0.padding(toLength: max($0.1, $0.0.count), withPad: " ", startingAt: 0) }
                    .joined(separator: " "))
        }
    }
}
