internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// The terminal of one execution's program: a pseudo-terminal of the sandbox's own, so that its name means something there.
///
/// For the thread of the execution.
final class ProgramTerminal {
    private var ends: (far: SharedDescriptor, near: SharedDescriptor)?

    /// The end that the caller reads and writes; none without a terminal.
    var far: [SharedDescriptor] { ends.map { [$0.far] } ?? [] }

    /// Opens one of that size, if one is wanted, and gives it to the program's user.
    func open(_ size: TerminalSize?, in sandbox: Sandbox) throws(SandboxError) {
        guard let size else { return }
        ends = try step(.workspace) { () throws(SystemCallError) in
            let ends = try Terminal.open(below: sandbox.root.rawValue).shared()
            try Terminal.resize(ends.first.rawValue, rows: size.rows, columns: size.columns)
            try Pipe.makeNonBlocking(ends.first.rawValue)
            try Files.setOwner(
                of: ends.second.rawValue, user: sandbox.slot.hostProgram, group: sandbox.slot.hostProgram)
            return (ends.first, ends.second)
        }
    }

    /// Makes it the program's input and output.
    func give(to program: inout StageSupervisor.Program) {
        guard let ends else { return }
        program.stdin = ends.near.rawValue
        program.stdout = ends.near.rawValue
        program.stderr = ends.near.rawValue
        if !program.environment.contains(where: { $0.name == "TERM" }) {
            program.environment.append(.init(name: "TERM", value: "xterm-256color"))
        }
    }
}
