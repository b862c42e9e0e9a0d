internal import CLinux
internal import Glibc

/// A system call that failed, by name and error number.
public struct SystemCallError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The call, as its manual page names it.
    public let call: String

    /// The error number (errno(3)).
    public let errno: CInt

    /// Makes an error.
    public init(call: String, errno: CInt) {
        self.call = call
        self.errno = errno
    }

    /// The symbolic name of the error number, as `ENOENT`.
    public var name: String {
        guard let text = soulbox_error_name(errno) else { return "errno \(errno)" }
        return String(cString: text)
    }

    /// Call and error: `openat2: ENOENT`.
    public var description: String { "\(call): \(name)" }
}

/// The funnel for system calls: runs `body` until no signal interrupts it, and turns -1 into an error that names `call`.
///
/// errno is read here, on the line after the call, and nowhere else.
@discardableResult
public func check<Result: FixedWidthInteger>(
    _ call: StaticString, _ body: () -> Result
) throws(SystemCallError) -> Result {
    while true {
        let result = body()
        if result != -1 { return result }
        let number = errno
        if number != EINTR { throw SystemCallError(call: "\(call)", errno: number) }
    }
}
