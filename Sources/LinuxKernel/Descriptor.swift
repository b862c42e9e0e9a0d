internal import Glibc

/// A file descriptor with exactly one owner; it closes when the owner goes away.
public struct Descriptor: ~Copyable, Sendable {
    /// The number.
    public let rawValue: CInt

    /// Takes over an open descriptor.
    public init(owning rawValue: CInt) { self.rawValue = rawValue }

    /// Gives the descriptor up without closing it.
    public consuming func release() -> CInt {
        let raw = rawValue
        discard self
        return raw
    }

    /// A second, close-on-exec descriptor of the same open file (fcntl(2), F_DUPFD_CLOEXEC).
    public func duplicate() throws(SystemCallError) -> Descriptor {
        Descriptor(owning: try Descriptor.duplicate(rawValue))
    }

    /// A second, close-on-exec descriptor of the same open file, for the caller to own.
    public static func duplicate(_ rawValue: CInt) throws(SystemCallError) -> CInt {
        try check("fcntl") { fcntl(rawValue, F_DUPFD_CLOEXEC, 3) }
    }

    deinit { _ = close(rawValue) }
}
