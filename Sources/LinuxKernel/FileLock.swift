internal import Glibc

/// A lock on an open file (flock(2)), held as long as its owner lives; the kernel drops it with the process.
public struct FileLock: ~Copyable {
    private let descriptor: Descriptor

    /// The number of the locked file's descriptor.
    public var rawValue: CInt { descriptor.rawValue }

    private init(descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// Locks a file, which is made when it is missing; waits that long for another holder.
    ///
    /// - Throws: EWOULDBLOCK when somebody holds it longer.
    public static func take(_ path: String, milliseconds: Int) throws(SystemCallError) -> FileLock {
        let file = try Files.open(path, [.readWrite, .create], mode: 0o600)
        let deadline = MonotonicClock.now + UInt64(milliseconds) * 1_000_000
        while true {
            do {
                try check("flock") { flock(file.rawValue, LOCK_EX | LOCK_NB) }
                return FileLock(descriptor: file)
            } catch {
                guard error.errno == EWOULDBLOCK, MonotonicClock.now < deadline else { throw error }
                usleep(2000)
            }
        }
    }

    /// Locks an open file; nil when somebody holds it.
    public static func attempt(_ file: consuming Descriptor) -> FileLock? {
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else { return nil }
        return FileLock(descriptor: file)
    }

    /// Keeps the lock until the process ends, whatever becomes of this value.
    public consuming func keepForever() { _ = descriptor.release() }
}
