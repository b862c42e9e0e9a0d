internal import CLinux
internal import Glibc

/// What poll(2) waits for or has found.
public struct PollEvents: OptionSet, Sendable {
    /// The bits of `struct pollfd`.
    public let rawValue: CShort

    /// Events with these bits.
    public init(rawValue: CShort) { self.rawValue = rawValue }

    /// Something to read.
    public static let input = PollEvents(rawValue: CShort(POLLIN))
    /// Room to write.
    public static let output = PollEvents(rawValue: CShort(POLLOUT))
    /// Something exceptional.
    public static let priority = PollEvents(rawValue: CShort(POLLPRI))
    /// The peer has closed its writing end.
    public static let remoteHangUp = PollEvents(rawValue: CShort(soulbox_POLLRDHUP))
    /// The other end is closed; found without asking.
    public static let hangUp = PollEvents(rawValue: CShort(POLLHUP))
    /// An error; found without asking.
    public static let error = PollEvents(rawValue: CShort(POLLERR))
    /// No open descriptor; found without asking.
    public static let invalid = PollEvents(rawValue: CShort(POLLNVAL))
}

/// A descriptor to wait on; a negative one is passed over.
public struct PollEntry: Sendable {
    /// The descriptor.
    public var descriptor: CInt
    /// What to wait for.
    public var events: PollEvents
    /// What was found.
    public var returned: PollEvents = []

    /// Makes an entry.
    public init(descriptor: CInt, events: PollEvents) {
        self.descriptor = descriptor
        self.events = events
    }
}

/// Waiting on several descriptors (poll(2)).
public enum Poll {
    /// Waits at most that many milliseconds, or without end for a negative number. Returns how many entries have events.
    @discardableResult
    public static func wait(_ entries: inout [PollEntry], timeout milliseconds: CInt) throws(SystemCallError) -> Int {
        var raw = entries.map { pollfd(fd: $0.descriptor, events: $0.events.rawValue, revents: 0) }
        let deadline = MonotonicClock.now + UInt64(max(0, milliseconds)) * 1_000_000
        var left = milliseconds
        while true {
            let count = poll(&raw, nfds_t(raw.count), left)
            if count >= 0 {
                for index in entries.indices { entries[index].returned = PollEvents(rawValue: raw[index].revents) }
                return Int(count)
            }
            let number = errno
            guard number == EINTR else { throw SystemCallError(call: "poll", errno: number) }
            if milliseconds >= 0 {
                let now = MonotonicClock.now
                left = now >= deadline ? 0 : CInt((deadline - now) / 1_000_000) + 1
            }
        }
    }
}
