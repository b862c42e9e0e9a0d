/// A filter that could not be compiled.
public struct SeccompError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The call of libseccomp, with what it was for.
    public let call: String

    /// The error number, negative as libseccomp gives it.
    public let code: Int32

    /// For people.
    public var description: String { "\(call): \(code)" }
}
