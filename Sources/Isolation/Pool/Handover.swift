internal import SoulBoxModel

/// What a program that was started ahead of its work is told when the work has come: its arguments and environment.
///
/// Four bytes with the length of the rest, little endian; then strings that each end in NUL: how many arguments follow,
/// the arguments, and the environment as `NAME=value`.
struct Handover: Sendable {
    /// What fits into an empty pipe for certain (pipe(7)), so that whoever writes it never waits.
    static let maximum = 60_000

    /// The bytes.
    let bytes: [UInt8]
    /// Standard input; nil is an empty one.
    let stdin: CInt?

    /// Nil when it does not fit: such a program is started for its request alone.
    init?(arguments: [String], environment: [ExecutionSpec.Variable], stdin: CInt?) {
        var body: [UInt8] = Array("\(arguments.count)".utf8) + [0]
        for argument in arguments {
            body += argument.utf8
            body.append(0)
        }
        for variable in environment {
            body += variable.name.utf8
            body.append(UInt8(ascii: "="))
            body += variable.value.utf8
            body.append(0)
        }
        guard body.count <= Handover.maximum else { return nil }
        bytes = (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (8 * $0)) } + body
        self.stdin = stdin
    }
}
