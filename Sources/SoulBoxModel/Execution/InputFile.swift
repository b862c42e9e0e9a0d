/// A file that the client sends along.
public struct InputFile: Sendable, Equatable {
    /// Where it stands below `/workspace`: relative, without `..`, no empty segment, no NUL.
    public var path: String

    /// Its bytes.
    public var contents: [UInt8]

    /// Makes a file.
    public init(path: String, contents: [UInt8]) {
        self.path = path
        self.contents = contents
    }
}
