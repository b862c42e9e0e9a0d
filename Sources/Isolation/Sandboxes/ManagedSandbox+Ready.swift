internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

extension ManagedSandbox {
    /// Makes a sandbox that stood ready this one, which is new. Within `change`.
    ///
    /// Until the record is written the directory is no sandbox: a crash before that leaves nothing that the next start would
    /// keep, neither the directory nor, since nothing else says that it may live on, what runs.
    func start(from ready: ReadySandbox, _ image: Image, _ networks: SandboxNetworks) throws {
        let record = state.read { $0.record }
        guard case .image(let disk, _) = ready.sandbox.spec.disk else {
            throw SandboxError(.stageDisk, "no disk of its own")
        }
        let startedAt = Timestamp.now
        let sandbox = try ready.resized(
            to: record.spec(image, disk: directory.disk), ReadyPersistent.executionLimits
        ).sandbox
        try directory.make(from: disk)
        if record.network.enabled { try sandbox.connect(to: record.network, as: record.id, networks) }
        try directory.write(try sandbox.run(startedAt: startedAt))
        try directory.write(record)
        take(sandbox, startedAt: startedAt)
        state.update { $0.waiting = WaitingProcess(in: ready) }
    }
}
