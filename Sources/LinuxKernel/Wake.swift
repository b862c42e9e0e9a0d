internal import CLinux
internal import Glibc

/// Wakes a thread that polls, again and again (eventfd(2)).
public final class Wake: Sendable {
    private let descriptor: Descriptor

    /// Nobody has been woken yet.
    public init() throws(SystemCallError) {
        descriptor = Descriptor(owning: try check("eventfd") { soulbox_eventfd() })
    }

    /// Readable from a signal until it is cleared.
    public var pollDescriptor: CInt { descriptor.rawValue }

    /// Wakes the thread.
    public func signal() { try? Files.write(to: descriptor.rawValue, [1, 0, 0, 0, 0, 0, 0, 0]) }

    /// Makes it wait for the next signal. The descriptor never blocks: nothing to clear is no error.
    public func clear() { _ = try? Files.read(from: descriptor.rawValue, count: 8) }
}
