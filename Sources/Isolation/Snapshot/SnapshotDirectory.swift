internal import LinuxKernel
internal import SoulBoxModel

/// The directory of one snapshot: the disk or what of it differs from the parent's, processes, and the signed manifest.
///
/// It is put together under a name that begins with a dot and then renamed: one that has its own name is whole.
struct SnapshotDirectory: Sendable {
    /// Where it is.
    let path: String

    /// The whole disk.
    static let disk = "disk.ext4"
    /// What of the disk differs from the parent's.
    static let delta = "disk.delta"
    /// Where CRIU's files are.
    static let memory = "memory"
    /// What a compressed file's name ends in.
    static let compressed = ".zst"

    private static let manifestFile = "manifest.json"

    /// The path of one of its files.
    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// The manifest; throws the reason for the caller where it is none of ours.
    func manifest(_ key: SnapshotKey) throws(SnapshotInvalid) -> SnapshotManifest {
        guard let signed = try? Files.read(file(SnapshotDirectory.manifestFile), maximum: 16 << 20) else {
            throw SnapshotInvalid("its manifest is missing")
        }
        guard let bytes = key.open(signed) else { throw SnapshotInvalid("its manifest has been changed") }
        guard let json = try? JSONParser.parse(bytes), let manifest = SnapshotManifest(json: json) else {
            throw SnapshotInvalid("its manifest is of another version")
        }
        return manifest
    }

    /// Completes a directory: digests of all files, size, manifest, everything on the disk.
    func complete(
        _ manifest: SnapshotManifest, key: SnapshotKey, progress: (Int64) -> Void
    ) throws(SystemCallError) -> SnapshotManifest {
        var whole = manifest
        whole.files = []
        whole.sizeBytes = 0
        for name in try names() {
            let opened = try Files.open(file(name), .readOnly, resolve: .noSymlinks)
            let digest = try SparseDigest.read(opened.rawValue, progress: progress)
            whole.files.append(
                .init(name: name, size: try Files.status(of: opened.rawValue).size, digest: digest))
            whole.sizeBytes += try Files.usedBytes(of: opened.rawValue)
            try Files.synchronize(opened.rawValue)
        }
        try Files.writeAtomically(file(SnapshotDirectory.manifestFile), key.sign(whole.json.bytes), mode: 0o600)
        return whole
    }

    /// The names of its files but the manifest, in order.
    func names() throws(SystemCallError) -> [String] {
        var found: [String] = []
        for name in try Files.list(path) where name != SnapshotDirectory.manifestFile {
            guard name == SnapshotDirectory.memory else {
                found.append(name)
                continue
            }
            found += try Files.list(file(name)).map { "\(name)/\($0)" }
        }
        return found.sorted()
    }

    /// Compares every file with the manifest; throws what differs.
    ///
    /// - Parameter only: Whether a file is to be read; the others must be there too.
    func verify(
        _ manifest: SnapshotManifest, only: (String) -> Bool = { _ in true }, progress: (Int64) -> Void = { _ in }
    ) throws(SnapshotInvalid) {
        guard let names = try? names(), names == manifest.files.map(\.name).sorted() else {
            throw SnapshotInvalid("a file of it is missing, or there is one too many")
        }
        for told in manifest.files where only(told.name) {
            let digest = Result { () throws(SystemCallError) in
                let opened = try Files.open(file(told.name), .readOnly, resolve: .noSymlinks)
                guard try Files.status(of: opened.rawValue).size == told.size else { return "" }
                return try SparseDigest.read(opened.rawValue, progress: progress)
            }
            guard case .success(told.digest) = digest else {
                throw SnapshotInvalid("\(told.name) has been changed")
            }
        }
    }
}

/// A snapshot that is not what it was when it was taken; the reason is for its owner.
struct SnapshotInvalid: Error, Sendable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
