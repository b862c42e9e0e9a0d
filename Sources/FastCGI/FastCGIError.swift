/// Why the FastCGI server or one of its requests failed.
public enum FastCGIError: Error, Equatable, Sendable, CustomStringConvertible {
    /// libfcgi could not be initialised; the value is what it returned.
    case initialisationFailed(Int32)

    /// The body ended before the announced number of bytes had come.
    case bodyTooShort

    /// The web server broke the protocol or the connection.
    case connectionBroken

    /// What failed, without any data of the request.
    public var description: String {
        switch self {
        case .initialisationFailed(let code): "libfcgi could not be initialised (\(code))"
        case .bodyTooShort: "the body is shorter than its announced length"
        case .connectionBroken: "the web server broke the connection"
        }
    }
}
