internal import CLinux
internal import Glibc

/// Something that happens once, for threads that poll (eventfd(2)).
public final class Event: Sendable {
    private let descriptor: Descriptor

    /// An event that has not happened.
    public init() throws(SystemCallError) {
        descriptor = Descriptor(owning: try check("eventfd") { soulbox_eventfd() })
    }

    /// Readable from the moment it happens.
    public var pollDescriptor: CInt { descriptor.rawValue }

    /// Makes it happen; a second time changes nothing.
    public func signal() {
        // Eight bytes in the machine's order; the counter only has to be above zero.
        try? Files.write(to: descriptor.rawValue, [1, 0, 0, 0, 0, 0, 0, 0])
    }
}
