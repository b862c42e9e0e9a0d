internal import Archives
internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// A directory of a sandbox as `tar.gz`, made while it is sent.
struct ArchiveWriter: Sendable {
    /// Files of one archive.
    static let maximumEntries = 100_000

    let service: SandboxFileService
    let sandbox: AccountSandbox
    /// The directory below the workspace.
    let path: String

    /// The entries of the archive, before anything is sent.
    func entries() throws(APIError) -> [FileEntry] {
        let listing = try service.isolate(sandbox) { connection throws(IsolationError) in
            try connection.list(
                path, recursive: true, limit: ArchiveWriter.maximumEntries, in: sandbox.identifier,
                account: sandbox.account)
        }
        guard listing.isComplete else {
            throw APIError(.validationError, status: 422, "The directory holds too many files for one archive")
        }
        return listing.entries
    }

    /// Sends the archive. What changes meanwhile is in it as it was found; what is gone is left out.
    func write(_ entries: [FileEntry], _ send: BodyStream.Send) throws {
        try withoutActuallyEscaping(send) { send in
            let gzip = try GzipWriter(send)
            let tar = TarWriter { try gzip.write($0) }
            let connection = try service.sandboxes.keeper.connections.borrow()
            for entry in entries { try write(entry, to: tar, connection) }
            try tar.finish()
            try gzip.finish()
            service.sandboxes.keeper.connections.giveBack(connection)
        }
    }

    private func write(_ entry: FileEntry, to tar: TarWriter, _ connection: IsolationConnection) throws {
        let name = path.isEmpty ? entry.path : String(entry.path.dropFirst(path.count + 1))
        var header = TarEntry(
            path: name, kind: .file, mode: entry.mode & 0o777, modified: entry.modifiedAt.microseconds / 1_000_000)
        switch entry.kind {
        case .directory:
            header.kind = .directory
            try tar.begin(header)
        case .link:
            guard let target = entry.target else { return }
            header.kind = .link(target)
            try tar.begin(header)
        case .file:
            let file: FileRange
            do throws(IsolationError) {
                let found = try connection.open(entry.path, in: sandbox.identifier, account: sandbox.account)
                file = FileRange(descriptor: found.descriptor, offset: 0, count: found.entry.size)
            } catch {
                // Gone, or no file any more.
                guard error.code == .notFound || error.code == .conflict else { throw error }
                return
            }
            header.size = file.count
            try tar.begin(header)
            try file.read { try tar.write(Array($0)) }
        case .other: return
        }
    }
}
