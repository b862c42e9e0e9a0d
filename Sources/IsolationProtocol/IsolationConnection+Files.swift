public import LinuxKernel
internal import SoulBoxModel

extension IsolationConnection {
    /// A disk may be slow: a file's bytes are made to last before its name is given.
    private static let fileMilliseconds: CInt = 60_000

    /// What stands at a path below the sandbox's `/workspace`.
    public func stat(_ path: String, in sandbox: String, account: String) throws(IsolationError) -> FileEntry {
        try entry("StatFile", path, sandbox, account)
    }

    /// Makes a directory with those above it; links on the way are followed only when `following`.
    public func makeDirectory(
        _ path: String, following: Bool = true, in sandbox: String, account: String
    ) throws(IsolationError) -> FileEntry {
        try entry("MakeDirectory", path, sandbox, account, [("following", .bool(following))])
    }

    /// Gives a file or a directory another name.
    public func move(
        _ path: String, to target: String, replacing: Bool, in sandbox: String, account: String
    ) throws(IsolationError) -> FileEntry {
        try entry(
            "MoveFile", path, sandbox, account, [("target", .string(target)), ("replace", .bool(replacing))])
    }

    /// Removes a file, or a directory with what is in it when `recursive`.
    public func remove(
        _ path: String, recursive: Bool, in sandbox: String, account: String
    ) throws(IsolationError) {
        _ = try call(
            "io.soulbox.isolation.RemoveFile",
            IsolationConnection.parameters(path, sandbox, account, [("recursive", .bool(recursive))]),
            timeoutMilliseconds: IsolationConnection.fileMilliseconds)
    }

    /// Opens a regular file for reading.
    public func open(
        _ path: String, in sandbox: String, account: String
    ) throws(IsolationError) -> (entry: FileEntry, descriptor: SharedDescriptor) {
        let reply = try call(
            "io.soulbox.isolation.OpenFile", IsolationConnection.parameters(path, sandbox, account),
            timeoutMilliseconds: IsolationConnection.fileMilliseconds)
        let descriptor = try takeDescriptor()
        guard let entry = reply["file"].flatMap(FileEntry.init(json:)) else {
            throw IsolationError(.protocolViolation, "malformed file")
        }
        return (entry, descriptor)
    }

    /// Begins a file; `commitUpload` on the same connection gives it its name, and without that it is gone.
    public func beginUpload(in sandbox: String, account: String) throws(IsolationError) -> SharedDescriptor {
        _ = try call(
            "io.soulbox.isolation.BeginUpload", ["sandbox": .string(sandbox), "account": .string(account)],
            timeoutMilliseconds: IsolationConnection.fileMilliseconds)
        return try takeDescriptor()
    }

    /// Gives the file that was begun its name.
    ///
    /// - Parameters:
    ///   - lasting: Whether it must be there after a power cut when this returns.
    ///   - following: Whether links on the way to it may be followed.
    public func commitUpload(
        _ path: String, mode: Int = 0o644, lasting: Bool = true, following: Bool = true, in sandbox: String,
        account: String
    ) throws(IsolationError) -> FileEntry {
        try entry(
            "CommitUpload", path, sandbox, account,
            [("mode", JSONValue(mode)), ("lasting", .bool(lasting)), ("following", .bool(following))])
    }

    /// Makes a symbolic link, wherever it leads.
    public func makeLink(
        _ path: String, to target: String, in sandbox: String, account: String
    ) throws(IsolationError) {
        _ = try call(
            "io.soulbox.isolation.MakeLink",
            IsolationConnection.parameters(path, sandbox, account, [("target", .string(target))]),
            timeoutMilliseconds: IsolationConnection.fileMilliseconds)
    }

    /// Makes everything written to the sandbox's disk last.
    public func synchronizeFiles(in sandbox: String, account: String) throws(IsolationError) {
        _ = try call(
            "io.soulbox.isolation.SynchronizeFiles", ["sandbox": .string(sandbox), "account": .string(account)],
            timeoutMilliseconds: IsolationConnection.fileMilliseconds)
    }

    /// What stands in a directory; and whether that is all.
    public func list(
        _ path: String, recursive: Bool, limit: Int, in sandbox: String, account: String
    ) throws(IsolationError) -> (entries: [FileEntry], isComplete: Bool) {
        var entries: [FileEntry] = []
        var isComplete = false
        try calls(
            "io.soulbox.isolation.ListFiles",
            IsolationConnection.parameters(
                path, sandbox, account, [("recursive", .bool(recursive)), ("limit", JSONValue(limit))]),
            timeoutMilliseconds: IsolationConnection.fileMilliseconds
        ) { reply throws(IsolationError) in
            for item in reply["files"]?.arrayValue ?? [] {
                guard let entry = FileEntry(json: item) else {
                    throw IsolationError(.protocolViolation, "malformed file")
                }
                entries.append(entry)
            }
            isComplete = reply["complete"]?.boolValue ?? false
        }
        return (entries, isComplete)
    }

    private func entry(
        _ method: String, _ path: String, _ sandbox: String, _ account: String,
        _ more: [(String, JSONValue)] = []
    ) throws(IsolationError) -> FileEntry {
        let reply = try call(
            "io.soulbox.isolation." + method, IsolationConnection.parameters(path, sandbox, account, more),
            timeoutMilliseconds: IsolationConnection.fileMilliseconds)
        guard let entry = reply["file"].flatMap(FileEntry.init(json:)) else {
            throw IsolationError(.protocolViolation, "malformed file")
        }
        return entry
    }

    private static func parameters(
        _ path: String, _ sandbox: String, _ account: String, _ more: [(String, JSONValue)] = []
    ) -> JSONValue {
        .object(
            JSONObject([("sandbox", .string(sandbox)), ("account", .string(account)), ("path", .string(path))] + more))
    }
}
