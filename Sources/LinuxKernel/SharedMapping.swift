internal import Glibc

/// Memory of a file that processes share (mmap(2), MAP_SHARED); what one writes the others see, and it outlives each.
///
/// Safe because address and size never change, and the memory goes with the last reference; what is read and written in it
/// is its users' to order.
public final class SharedMapping: @unchecked Sendable {
    /// The first byte; on a page's boundary.
    public let start: UnsafeMutableRawPointer
    /// How many bytes there are.
    public let count: Int

    /// Maps the beginning of an open file.
    public init(_ descriptor: CInt, count: Int, isWritable: Bool) throws(SystemCallError) {
        let protection = isWritable ? PROT_READ | PROT_WRITE : PROT_READ
        guard let memory = mmap(nil, count, protection, MAP_SHARED, descriptor, 0),
            memory != UnsafeMutableRawPointer(bitPattern: -1)
        else { throw SystemCallError(call: "mmap", errno: errno) }
        start = memory
        self.count = count
    }

    deinit { munmap(start, count) }
}

extension Files {
    /// Makes room for the first bytes of an open file, so that writing them through a mapping cannot fail
    /// (posix_fallocate(3)).
    public static func reserve(_ descriptor: CInt, count: Int) throws(SystemCallError) {
        let result = posix_fallocate(descriptor, 0, off_t(count))
        guard result == 0 else { throw SystemCallError(call: "posix_fallocate", errno: result) }
    }
}
