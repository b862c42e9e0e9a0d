internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// A form that uploads files: `sandbox_id`, one or more `file` parts, and perhaps `path`.
///
/// The sandbox must be named before the first file, since its bytes go to the sandbox's disk as they come. `path` may come
/// last, as the API's example has it: until then the files have no names that anybody sees.
struct UploadForm {
    let service: SandboxFileService
    let caller: Caller
    private(set) var parts = 0
    private var sandbox: AccountSandbox?
    private var path: String?
    private var files: [(name: String, staged: StagedFile)] = []

    init(service: SandboxFileService, caller: Caller) {
        self.service = service
        self.caller = caller
    }

    /// Takes the part that the reader has begun.
    mutating func take(_ part: MultipartReader.Part, _ reader: MultipartReader) throws(APIError) {
        parts += 1
        switch part.name {
        case "sandbox_id":
            let id = try reader.text(limit: 200)
            guard sandbox == nil else { throw FileRoutes.wrong("sandbox_id", "Is given twice") }
            sandbox = try service.sandbox(id, caller)
        case "path":
            let text = try reader.text(limit: 8192)
            guard path == nil else { throw FileRoutes.wrong("path", "Is given twice") }
            guard SandboxPath.parse(text) != nil else { throw FileRoutes.wrong("path", SandboxPath.problem) }
            path = text
        case "file": try takeFile(part, reader)
        default: throw FileRoutes.wrong(String(part.name.prefix(100)), "Unknown field")
        }
    }

    private mutating func takeFile(_ part: MultipartReader.Part, _ reader: MultipartReader) throws(APIError) {
        guard let sandbox else { throw FileRoutes.wrong("sandbox_id", "Must come before the files") }
        // Some clients send a whole path; only its last segment is the file's name.
        let name = String((part.fileName ?? "").split(whereSeparator: { $0 == "/" || $0 == "\\" }).last ?? "")
        guard FileName.problem(name) == nil else { throw FileRoutes.wrong("file", "Must have a file name") }
        let staged = try service.stage(in: sandbox) { (take) throws(APIError) in while try reader.read(take) {} }
        files.append((name, staged))
    }

    /// Gives every file its name.
    func finish() throws(APIError) -> [StoredFile] {
        guard let sandbox else { throw FileRoutes.wrong("sandbox_id", "Is required") }
        guard !files.isEmpty else { throw FileRoutes.wrong("file", "Is required") }
        let targets = try targets(in: sandbox)
        if let conflict = FileName.conflicts(targets).first {
            throw FileRoutes.wrong("file", "\(files[conflict.index].name): \(conflict.reason)")
        }
        return try zip(files, targets).map { (file, target) throws(APIError) in
            try service.commit(file.staged, target)
        }
    }

    /// Where the files go: `path` names a directory when it ends in `/`, when it is one, or when there are several
    /// files; else the file itself.
    private func targets(in sandbox: AccountSandbox) throws(APIError) -> [String] {
        let base = SandboxPath.parse(path ?? "/") ?? ""
        var isDirectory = base.isEmpty || path?.hasSuffix("/") == true || files.count > 1
        if !isDirectory {
            let entry = try? service.sandboxes.keeper.connections.with { connection throws(IsolationError) in
                try connection.stat(base, in: sandbox.identifier, account: sandbox.account)
            }
            isDirectory = entry?.kind == .directory
        }
        return files.map { isDirectory ? (base.isEmpty ? $0.name : "\(base)/\($0.name)") : base }
    }
}
