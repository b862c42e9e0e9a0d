internal import IsolationProtocol
internal import LinuxKernel
internal import Logging

extension SandboxRegistry {
    /// Makes a sandbox that stands ready a new one; false when there is none, and everything is yet to be made. Within `change`.
    func startReady(_ new: ManagedSandbox, of image: Image) -> Bool {
        // A disk cannot become smaller, and takes its time to grow.
        guard new.limits.diskBytes == ReadyDisks.size, let ready = takeReady(image, hasNetwork: new.network.enabled)
        else { return false }
        do {
            try new.start(from: ready, image, networks)
        } catch {
            // Making one says what is wrong, or finds that nothing is.
            log.warning(
                "a sandbox that stood ready could not be used",
                metadata: ["sandbox.id": "\(new.id)", "error": "\(error)"])
            pool.discard(ready)
            return false
        }
        pool.persistent.release()
        if let process = WaitingProcess(in: ready) { waiting.add(process.started, in: new) }
        return true
    }

    private func takeReady(_ image: Image, hasNetwork: Bool) -> ReadySandbox? {
        var kind = ReadyPool.Kind(image: image.name, isPersistent: true, hasNetwork: hasNetwork)
        if let ready = pool.take(kind, of: image) { return ready }
        guard hasNetwork else { return nil }
        // One without is given its network when it is taken; but that kind is not what was missing.
        kind.hasNetwork = false
        return pool.take(kind, of: image, isDemand: false)
    }
}
