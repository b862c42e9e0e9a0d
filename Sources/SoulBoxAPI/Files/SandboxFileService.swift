internal import Crypto
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// The rules of files in persistent sandboxes.
struct SandboxFileService: Sendable {
    /// Files that the details of a sandbox show.
    private static let briefLimit = 100

    /// Files that one list shows.
    static let listLimit = 10_000

    let sandboxes: SandboxService
    /// The largest file that is taken, in bytes.
    let uploadLimit: Int64

    /// The sandbox of a call, running.
    func sandbox(_ id: String, _ caller: Caller) throws(APIError) -> AccountSandbox {
        try sandboxes.running(try sandboxes.find(id, caller))
    }

    /// One call of the isolation service about a sandbox's files.
    func isolate<Value>(
        _ sandbox: AccountSandbox, _ body: (IsolationConnection) throws(IsolationError) -> Value
    ) throws(APIError) -> Value {
        do {
            return try sandboxes.keeper.connections.with(body)
        } catch {
            if error.code == .sandboxNotRunning { sandboxes.noteAbsence(sandbox) }
            throw .isolation(error)
        }
    }

    /// What stands in the workspace, for the details of a sandbox; nil when that cannot be told now.
    func summary(of sandbox: AccountSandbox) -> [JSONValue]? {
        guard sandbox.status == .running else { return nil }
        let listing = try? sandboxes.keeper.connections.with { connection throws(IsolationError) in
            try connection.list(
                "", recursive: false, limit: SandboxFileService.briefLimit, in: sandbox.identifier,
                account: sandbox.account)
        }
        return listing?.entries.map(\.briefJSON)
    }

    /// Takes a file's bytes from `source`. The file has no name, and is gone unless it gets one by `commit`.
    ///
    /// - Parameters:
    ///   - digest: What the SHA-256 must be, if the client said so.
    ///   - source: Calls its argument for each piece.
    func stage(
        in sandbox: AccountSandbox, digest: [UInt8]? = nil,
        from source: ((ArraySlice<UInt8>) throws(APIError) -> Void) throws(APIError) -> Void
    ) throws(APIError) -> StagedFile {
        let connection = try borrow()
        let file: SharedDescriptor
        do {
            file = try connection.beginUpload(in: sandbox.identifier, account: sandbox.account)
        } catch {
            if error.code == .sandboxNotRunning { sandboxes.noteAbsence(sandbox) }
            throw .isolation(error)
        }
        // From here on an error drops the connection, and with it the file.
        var hash = SHA256()
        var size: Int64 = 0
        try source { (piece) throws(APIError) in
            size += Int64(piece.count)
            guard size <= uploadLimit else {
                throw APIError(
                    .validationError, status: 413, "The file is too large",
                    details: JSONObject([("limit_bytes", .integer(uploadLimit))]))
            }
            piece.withUnsafeBytes { hash.update(bufferPointer: $0) }
            try write(Array(piece), to: file)
        }
        let found = Array(hash.finalize())
        if let digest, digest != found {
            throw APIError(
                .validationError, "The file does not match its digest",
                details: JSONObject([("field", "Content-Digest"), ("reason", "Is not the SHA-256 of what came")]))
        }
        return StagedFile(sandbox: sandbox, connection: connection, digest: found)
    }

    /// Gives a file its name below the workspace, in the place of what has that name.
    func commit(_ staged: StagedFile, _ path: String) throws(APIError) -> StoredFile {
        do {
            let entry = try staged.connection.commitUpload(
                path, in: staged.sandbox.identifier, account: staged.sandbox.account)
            sandboxes.keeper.connections.giveBack(staged.connection)
            return StoredFile(entry: entry, digest: staged.digest)
        } catch {
            throw .isolation(error)
        }
    }

    private func borrow() throws(APIError) -> IsolationConnection {
        do {
            return try sandboxes.keeper.connections.borrow()
        } catch {
            throw .isolation(error)
        }
    }

    private func write(_ bytes: [UInt8], to file: SharedDescriptor) throws(APIError) {
        do {
            try withExtendedLifetime(file) { () throws(SystemCallError) in
                try Files.write(to: file.rawValue, bytes)
            }
        } catch {
            throw error.errno == 28 || error.errno == 122  // ENOSPC, EDQUOT
                ? .isolation(IsolationError(.noSpace, "the sandbox's disk is full")) : .unavailable
        }
    }
}

/// A file whose bytes are on the sandbox's disk and that has no name yet.
struct StagedFile {
    let sandbox: AccountSandbox
    /// The connection that it belongs to.
    let connection: IsolationConnection
    /// The SHA-256 of its bytes.
    let digest: [UInt8]
}

/// A file that was taken.
struct StoredFile: Sendable {
    /// How it stands in the sandbox.
    let entry: FileEntry
    /// The SHA-256 of its bytes.
    let digest: [UInt8]

    /// The file as an upload's answer shows it.
    var json: JSONValue {
        [
            "name": .string(entry.name), "path": .string(SandboxPath.show(entry.path)), "size": .integer(entry.size),
            "uploaded_at": .string(entry.modifiedAt.rfc3339),
            "sha256": .string(digest.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()),
        ]
    }
}
