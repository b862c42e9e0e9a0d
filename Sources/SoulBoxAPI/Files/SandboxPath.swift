/// The paths of files in a persistent sandbox, as clients write them and as the API shows them.
enum SandboxPath {
    /// What the API's examples call the workspace; a link to it in every sandbox.
    static let shown = "/sandbox"

    /// The path below `/workspace` that a client means; nil when it means none.
    ///
    /// A leading `/workspace` or `/sandbox` is removed; any other absolute path is taken below the workspace. Empty
    /// segments and `.` say nothing; `..` is refused: nothing above the workspace is served.
    static func parse(_ text: String) -> String? {
        guard !text.utf8.contains(0), text.utf8.count <= FileName.maximumPath else { return nil }
        var segments = text.split(separator: "/").filter { $0 != "." }
        if text.hasPrefix("/"), let first = segments.first, first == "workspace" || first == "sandbox" {
            segments.removeFirst()
        }
        guard segments.allSatisfy({ $0 != ".." && $0.utf8.count <= FileName.maximumSegment }) else { return nil }
        return segments.joined(separator: "/")
    }

    /// The path as the API shows it.
    static func show(_ path: String) -> String { path.isEmpty ? shown : "\(shown)/\(path)" }

    /// What is wrong with a path that cannot be parsed.
    static let problem = "Must be a path below /workspace, without '..' and NUL, of at most 4095 bytes"
}
