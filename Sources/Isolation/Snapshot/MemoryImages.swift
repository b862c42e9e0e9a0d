internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// CRIU's files of a snapshot, compared with its manifest and ready to be restored.
struct MemoryImages {
    let tools: SnapshotTools
    let directory: SnapshotDirectory
    let manifest: SnapshotManifest

    /// The processes that the snapshot holds; throws why they cannot be restored here, in a sandbox that may have so many
    /// bytes of memory.
    func requireMemory(atMost limit: Int64) throws(IsolationError) -> SnapshotManifest.Memory {
        guard let memory = manifest.memory else {
            throw IsolationError(.notPossible, "the snapshot holds no processes")
        }
        guard memory.kernel == SnapshotTools.kernel else {
            throw IsolationError(.notPossible, "its processes were held on another kernel; its files can be restored")
        }
        guard memory.processor == SnapshotTools.processor else {
            throw IsolationError(
                .notPossible, "its processes were held on another processor; its files can be restored")
        }
        guard memory.criu == tools.criu else {
            throw IsolationError(.notPossible, "its processes were held by another CRIU; its files can be restored")
        }
        // PID 1's part was counted, and is given beside the limit.
        guard memory.bytes <= limit + Int64(SandboxCgroups.initMemory) else {
            throw IsolationError(
                .notPossible,
                "its processes hold \(ByteSize.text(memory.bytes)) of memory, and the sandbox may have \(ByteSize.text(limit))"
            )
        }
        return memory
    }

    /// Puts the files where CRIU is to find them. What is not compressed is shared by hard links.
    func place(in run: CriuRun) throws {
        let prefix = SnapshotDirectory.memory + "/"
        try directory.verify(manifest, only: { $0.hasPrefix(prefix) })
        for file in manifest.files where file.name.hasPrefix(prefix) {
            let source = directory.file(file.name)
            let target = run.images + "/" + file.name.dropFirst(prefix.count)
            if manifest.isCompressed, file.name.hasSuffix(SnapshotDirectory.compressed) {
                try tools.decompress(source, to: String(target.dropLast(SnapshotDirectory.compressed.count)))
            } else {
                try Files.makeHardLink(source, at: Files.workingDirectory, to: target, at: Files.workingDirectory)
            }
        }
    }
}
