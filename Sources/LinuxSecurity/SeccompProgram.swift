/// A seccomp filter, compiled: an array of `struct sock_filter` (seccomp(2)).
public struct SeccompProgram: Sendable, Equatable {
    /// The instructions, eight bytes each.
    public let bytes: [UInt8]

    /// How many instructions there are.
    public var instructionCount: Int { bytes.count / 8 }
}
