internal import IsolationProtocol
internal import LinuxKernel

/// Puts the disk of a snapshot together: a copy of the oldest one's, and what the younger ones changed.
struct SnapshotDisk {
    let store: SnapshotStore
    let tools: SnapshotTools?

    /// Writes the disk to a new file; every byte that is read is compared with its manifest on the way.
    ///
    /// - Parameter chain: The snapshot and those that it is told by the differences from, the youngest first.
    func write(_ chain: [SnapshotManifest], to path: String) throws {
        guard let oldest = chain.last, oldest.parent == nil else { throw SnapshotInvalid("a parent is missing") }
        try copy(oldest, to: path)
        let target = try Files.open(path, .readWrite, resolve: .noSymlinks)
        for manifest in chain.dropLast().reversed() {
            try withFile(SnapshotDirectory.delta, of: manifest) { delta in
                try DiskDelta.apply(delta, to: target.rawValue)
            }
        }
        guard let youngest = chain.first, try Files.status(of: target.rawValue).size == youngest.limits.diskBytes else {
            throw SnapshotInvalid("its disk has another size")
        }
    }

    private func copy(_ manifest: SnapshotManifest, to path: String) throws {
        let directory = store.directory(manifest.id)
        guard manifest.isCompressed else {
            guard let told = manifest.files.first(where: { $0.name == SnapshotDirectory.disk }) else {
                throw SnapshotInvalid("its disk is missing")
            }
            guard let source = try? Files.open(directory.file(told.name), .readOnly, resolve: .noSymlinks) else {
                throw SnapshotInvalid("\(told.name) cannot be read")
            }
            let target = try Files.open(path, [.readWrite, .create, .exclusive], mode: 0o600)
            // Read once, for the copy and for the digest.
            let digest = try SparseDigest.read(source.rawValue, copyingTo: target.rawValue)
            guard digest == told.digest else { throw SnapshotInvalid("\(told.name) has been changed") }
            return
        }
        let name = SnapshotDirectory.disk + SnapshotDirectory.compressed
        try directory.verify(manifest, only: { $0 == name })
        guard let tools else { throw SnapshotInvalid("the tools image is not built") }
        // zstd(1) makes a file of its own in place of any that is there.
        try tools.decompress(directory.file(name), to: path)
    }

    /// Opens a file of a snapshot, compared with its manifest, and not compressed any more.
    private func withFile(_ name: String, of manifest: SnapshotManifest, _ body: (CInt) throws -> Void) throws {
        let directory = store.directory(manifest.id)
        let stored = name + (manifest.isCompressed ? SnapshotDirectory.compressed : "")
        try directory.verify(manifest, only: { $0 == stored })
        guard manifest.isCompressed else {
            let opened = try Files.open(directory.file(name), .readOnly, resolve: .noSymlinks)
            return try body(opened.rawValue)
        }
        guard let tools else { throw SnapshotInvalid("the tools image is not built") }
        let plain = store.path + "/" + SnapshotStore.work + "/" + SandboxName.make()
        defer { try? Files.removeTree(plain) }
        try tools.decompress(directory.file(stored), to: plain)
        let opened = try Files.open(plain, .readOnly)
        try body(opened.rawValue)
    }
}
