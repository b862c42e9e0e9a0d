internal import CLinux
internal import Glibc

/// Pipes (pipe(7)).
public enum Pipe {
    /// A pipe with both ends close-on-exec (pipe2(2)); `first` is the read end.
    public static func make() throws(SystemCallError) -> DescriptorPair {
        var ends: (CInt, CInt) = (-1, -1)
        try check("pipe2") {
            withUnsafeMutableBytes(of: &ends) {
                soulbox_pipe2($0.baseAddress?.assumingMemoryBound(to: CInt.self), O_CLOEXEC)
            }
        }
        return DescriptorPair(first: Descriptor(owning: ends.0), second: Descriptor(owning: ends.1))
    }

    /// Makes reads and writes of an open file return at once (O_NONBLOCK).
    public static func makeNonBlocking(_ descriptor: CInt) throws(SystemCallError) {
        let flags = try check("fcntl") { fcntl(descriptor, F_GETFL) }
        try check("fcntl") { fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) }
    }
}
