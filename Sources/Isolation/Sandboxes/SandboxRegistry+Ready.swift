internal import IsolationProtocol
internal import LinuxKernel
internal import Logging

extension SandboxRegistry {
    /// Makes a sandbox that stands ready a new one; false when there is none, and everything is yet to be made. Within `change`.
    func startReady(_ new: ManagedSandbox, of image: Image) -> Bool {
        // A disk cannot become smaller, and takes its time to grow.
        guard new.limits.diskBytes == ReadyDisks.size,
            let ready = pool.take(ReadyPool.Kind(image: image.name, isPersistent: true), of: image)
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
        if ready.program != nil { waiting.add(new) }
        return true
    }
}
