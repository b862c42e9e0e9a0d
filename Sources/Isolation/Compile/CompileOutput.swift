internal import LinuxKernel

/// What a compiler writes: a file in memory, on the account of the compiler's own cgroup, that is handed on when it has
/// ended. So it can be kept beside what was compiled.
enum CompileOutput {
    /// Bytes that are handed on.
    private static let maximum = 8 << 20
    private static let patience: UInt64 = 10_000_000_000

    /// An empty one that a program of that sandbox can open anew, as `/dev/stdout`.
    static func make(owner: UserSlot) throws(SandboxError) -> SharedDescriptor {
        try step(.workspace) { () throws(SystemCallError) in
            let file = SharedDescriptor(try SealedFile(name: "compiler").unsealed())
            try Files.setOwner(of: file.rawValue, user: owner.hostProgram, group: owner.hostProgram)
            return file
        }
    }

    /// What has been written.
    static func read(_ file: SharedDescriptor) -> [UInt8] {
        guard let size = try? Files.status(of: file.rawValue).size else { return [] }
        return (try? Files.read(from: file.rawValue, offset: 0, count: min(Int(size), maximum))) ?? []
    }

    /// Writes into the caller's pipe as it is emptied. A caller that reads nothing gets less.
    static func send(_ bytes: [UInt8], to pipe: CInt) {
        guard !bytes.isEmpty, (try? Pipe.makeNonBlocking(pipe)) != nil else { return }
        let deadline = MonotonicClock.now + patience
        var sent = 0
        while sent < bytes.count, MonotonicClock.now < deadline {
            var entries = [PollEntry(descriptor: pipe, events: .output)]
            _ = try? Poll.wait(&entries, timeout: 1000)
            guard entries[0].returned.isSubset(of: .output) else { return }
            if entries[0].returned.isEmpty { continue }
            guard let count = try? Files.writeSome(to: pipe, bytes[sent...]) else { return }
            sent += count
        }
    }
}
