internal import Archives
internal import Crypto
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

/// Takes a `tar.gz` into a directory of a sandbox.
///
/// One parser reads and writes, in this process, which has no privilege; every file is made by the isolation service as the
/// user of the sandbox's programs, and no link of the archive is followed. The files appear below a hidden directory first
/// and get their places when the archive is known to be whole: a broken one leaves nothing.
struct ArchiveReader {
    /// Bytes that one byte of the archive may stand for, beyond the first megabytes.
    private static let maximumRatio: Int64 = 1000
    private static let freeBytes: Int64 = 64 << 20

    let service: SandboxFileService
    let sandbox: AccountSandbox
    /// The directory below the workspace.
    let path: String

    /// Takes the archive; gives how many files, directories and links it had.
    func read(_ source: @escaping (Int) throws -> [UInt8]) throws(APIError) -> Int {
        let connections = service.sandboxes.keeper.connections
        do {
            let connection = try connections.borrow()
            let staging = ".archive-" + Identifier.body(Identifier.makeUUID())
            do {
                let names = try extract(source, below: staging, connection)
                for name in names {
                    let target = path.isEmpty ? name.path : "\(path)/\(name.path)"
                    if name.isDirectory {
                        _ = try connection.makeDirectory(target, in: sandbox.identifier, account: sandbox.account)
                    } else {
                        _ = try connection.move(
                            "\(staging)/\(name.path)", to: target, replacing: true, in: sandbox.identifier,
                            account: sandbox.account)
                    }
                }
                try? connection.remove(staging, recursive: true, in: sandbox.identifier, account: sandbox.account)
                try connection.synchronizeFiles(in: sandbox.identifier, account: sandbox.account)
                connections.giveBack(connection)
                return names.count
            } catch {
                try? connections.with { connection throws(IsolationError) in
                    try connection.remove(staging, recursive: true, in: sandbox.identifier, account: sandbox.account)
                }
                throw error
            }
        } catch let error as APIError {
            throw error
        } catch let error as IsolationError where error.code == .notFound || error.code == .conflict {
            throw ArchiveReader.unusable("an entry lies beneath a link, or in the place of another")
        } catch let error as IsolationError {
            throw .isolation(error)
        } catch let error as ArchiveError {
            throw ArchiveReader.unusable(error.reason)
        } catch let error as BodyError {
            throw error.apiError
        } catch let error as SystemCallError where error.errno == 28 || error.errno == 122 {  // ENOSPC, EDQUOT
            throw .isolation(IsolationError(.noSpace, "the sandbox's disk is full"))
        } catch {
            throw .unavailable
        }
    }

    private static func unusable(_ reason: String) -> APIError {
        APIError(
            .validationError, status: 422, "The archive cannot be used",
            details: JSONObject([("field", "body"), ("reason", .string(reason))]))
    }

    private func extract(
        _ source: @escaping (Int) throws -> [UInt8], below staging: String, _ connection: IsolationConnection
    ) throws -> [(path: String, isDirectory: Bool)] {
        let gzip = try GzipReader(source)
        let tar = TarReader { count in
            let bytes = try gzip.read(count)
            guard gzip.uncompressed < ArchiveReader.freeBytes + gzip.compressed * ArchiveReader.maximumRatio else {
                throw ArchiveError("the archive is packed too tightly")
            }
            return bytes
        }
        let (id, account) = (sandbox.identifier, sandbox.account)
        _ = try connection.makeDirectory(staging, in: id, account: account)
        var names: [(path: String, isDirectory: Bool)] = []
        while let entry = try tar.next() {
            guard names.count < ArchiveWriter.maximumEntries else {
                throw ArchiveError("the archive has too many files")
            }
            // The archive's own top.
            guard !entry.path.isEmpty else { continue }
            let target = "\(staging)/\(entry.path)"
            switch entry.kind {
            case .directory: _ = try connection.makeDirectory(target, following: false, in: id, account: account)
            case .link(let destination):
                try connection.makeLink(target, to: destination, in: id, account: account)
            case .hardLink(let other): try copy("\(staging)/\(other)", to: target, connection)
            case .file:
                let file = try connection.beginUpload(in: id, account: account)
                while true {
                    let bytes = try tar.read(65_536)
                    if bytes.isEmpty { break }
                    try withExtendedLifetime(file) { try Files.write(to: file.rawValue, bytes) }
                }
                _ = try connection.commitUpload(
                    target, mode: entry.mode | 0o600, lasting: false, following: false, in: id, account: account)
            }
            names.append((entry.path, entry.kind == .directory))
        }
        return names
    }

    /// Another name of a file becomes a file of its own.
    private func copy(_ path: String, to target: String, _ connection: IsolationConnection) throws {
        let (id, account) = (sandbox.identifier, sandbox.account)
        let (entry, from) = try connection.open(path, in: id, account: account)
        let file = try connection.beginUpload(in: id, account: account)
        try FileRange(descriptor: from, offset: 0, count: entry.size).read { piece in
            try withExtendedLifetime(file) { try Files.write(to: file.rawValue, Array(piece)) }
        }
        _ = try connection.commitUpload(
            target, mode: entry.mode, lasting: false, following: false, in: id, account: account)
    }
}
