internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// The calls about the files of persistent sandboxes, for one connection: it owns the uploads that it has begun.
final class FileCalls {
    static let methods: Set<String> = [
        "StatFile", "OpenFile", "ListFiles", "MakeDirectory", "MoveFile", "RemoveFile", "BeginUpload", "CommitUpload",
        "MakeLink", "SynchronizeFiles",
    ].reduce(into: []) { $0.insert("io.soulbox.isolation." + $1) }

    /// Entries of one reply: a message has a size.
    private static let batch = 100

    private let isolator: Isolator
    private let connection: VarlinkConnection
    private var upload: Upload?

    init(_ isolator: Isolator, _ connection: VarlinkConnection) {
        self.isolator = isolator
        self.connection = connection
    }

    /// Carries a call out and replies.
    func answer(_ method: String, _ parameters: JSONValue) throws {
        let id = try SandboxCalls.text("sandbox", parameters)
        let account = try SandboxCalls.text("account", parameters)
        let managed = try isolator.sandboxes.find(id, account: account)
        guard let sandbox = managed.running else {
            throw IsolationError(.sandboxNotRunning, managed.inspect().phase.rawValue)
        }
        let files = SandboxFiles(sandbox)
        let isDirectory = method.hasSuffix("ListFiles") || method.hasSuffix("StatFile")
        let path =
            method.hasSuffix("BeginUpload") || method.hasSuffix("SynchronizeFiles")
            ? "" : try CallCheck.path(try SandboxCalls.text("path", parameters), orEmpty: isDirectory)
        switch method.split(separator: ".").last ?? "" {
        case "StatFile": try reply(["file": try files.entry(path).json])
        case "OpenFile":
            let (entry, descriptor) = try files.read(path)
            try connection.send(
                ["parameters": ["file": entry.json, "descriptor": 0]], descriptors: [descriptor.rawValue])
        case "ListFiles":
            let limit = Int(clamping: parameters["limit"]?.integerValue ?? 1000)
            try reply(
                files.list(
                    path, recursive: parameters["recursive"]?.boolValue ?? false, limit: min(max(0, limit), 100_000)))
        case "MakeDirectory":
            let following = parameters["following"]?.boolValue ?? true
            try reply(["file": try files.makeDirectory(path, following: following).json])
        case "MoveFile":
            let target = try CallCheck.path(try SandboxCalls.text("target", parameters))
            let replacing = parameters["replace"]?.boolValue ?? false
            try reply(["file": try files.move(path, to: target, replacing: replacing).json])
        case "MakeLink":
            let target = try SandboxCalls.text("target", parameters)
            guard !target.isEmpty, !target.utf8.contains(0), target.utf8.count < 4096 else {
                throw IsolationError(.invalidSpec, "malformed target")
            }
            try files.makeLink(path, to: target)
            try reply([:])
        case "SynchronizeFiles":
            try files.synchronize()
            try reply([:])
        case "RemoveFile":
            try files.remove(path, recursive: parameters["recursive"]?.boolValue ?? false)
            try reply([:])
        case "BeginUpload":
            let new = try Upload(files)
            upload = new
            try connection.send(["parameters": ["descriptor": 0]], descriptors: [new.descriptor])
        default:
            guard let upload else { throw IsolationError(.invalidSpec, "no upload was begun") }
            defer { self.upload = nil }
            let mode = parameters["mode"]?.integerValue ?? 0o644
            let entry = try upload.commit(
                path, mode: UInt32(clamping: mode) & 0o777, lasting: parameters["lasting"]?.boolValue ?? true,
                following: parameters["following"]?.boolValue ?? true)
            try reply(["file": entry.json])
        }
    }

    private func reply(_ parameters: JSONValue) throws(IsolationError) {
        try connection.send(["parameters": parameters])
    }

    /// Several replies: a directory may hold more than one message does.
    private func reply(_ listing: (entries: [FileEntry], isComplete: Bool)) throws(IsolationError) {
        var left = listing.entries[...]
        while true {
            let batch = left.prefix(FileCalls.batch)
            left = left.dropFirst(batch.count)
            var message = JSONObject([
                (
                    "parameters",
                    ["files": .array(batch.map(\.json)), "complete": .bool(left.isEmpty && listing.isComplete)]
                )
            ])
            if !left.isEmpty { message["continues"] = true }
            try connection.send(.object(message))
            if left.isEmpty { return }
        }
    }
}
