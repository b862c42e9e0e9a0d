internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// The zygotes of the images whose interpreters can be forked.
final class Zygotes: Sendable {
    private struct State {
        var living: [String: Zygote] = [:]
        /// Where one could not be made, until when none is tried.
        var refused: [String: UInt64] = [:]
        var count = 0
        var isClosed = false
    }

    private static let pauseAfterFailure: UInt64 = 60_000_000_000

    private let root: String
    private let runtimeLayer: String
    private let cgroups: SandboxCgroups
    private let processes: ProcessFilesystem
    private let log: Logger
    private let state = Mutex(State())
    /// One is made at a time.
    private let making = Mutex(())

    /// - Parameter root: An empty directory, where their roots are put together.
    init(
        root: String, runtimeLayer: String, cgroups: SandboxCgroups, processes: ProcessFilesystem, log: Logger
    ) throws(SandboxError) {
        self.root = root
        self.runtimeLayer = runtimeLayer
        self.cgroups = cgroups
        self.processes = processes
        self.log = log
        try step(.zygote) { () throws(SystemCallError) in try Files.makeDirectory(root, mode: 0o700) }
    }

    /// The zygote of an image, a new one when there is none or it has done its work; nil where none can be made.
    func zygote(
        of image: Image, _ command: PrestartedProgram.Command, limits: [InitMessage.ResourceLimit]
    ) -> Zygote? {
        making.withLock { _ in
            let now = MonotonicClock.now
            let (known, mayTry) = state.withLock { state in
                (state.living[image.name], !state.isClosed && now >= state.refused[image.name] ?? 0)
            }
            if let known, !known.isSpent { return known }
            known?.end()
            guard mayTry else { return nil }
            do {
                let number = state.withLock { state in
                    state.living[image.name] = nil
                    state.count += 1
                    return state.count
                }
                let new = try Zygote(
                    command, layers: [runtimeLayer, image.root], root: root, limits: limits,
                    group: try cgroups.makeZygote("z-\(number)"), processes: processes)
                return keep(new, image.name)
            } catch {
                // Programs of the image are started one by one, as those of every other.
                log.warning(
                    "an interpreter could not be made a zygote",
                    metadata: ["image": "\(image.name)", "error": "\(error)"])
                state.withLock { $0.refused[image.name] = now + Zygotes.pauseAfterFailure }
                return nil
            }
        }
    }

    /// Keeps a new one, unless all have been ended meanwhile.
    private func keep(_ zygote: Zygote, _ image: String) -> Zygote? {
        let isKept = state.withLock { state in
            if !state.isClosed { state.living[image] = zygote }
            return !state.isClosed
        }
        if !isKept { zygote.end() }
        return isKept ? zygote : nil
    }

    /// Ends those of images that are no longer wanted.
    func retain(_ images: Set<String>) {
        let gone = state.withLock { state in
            let names = state.living.keys.filter { !images.contains($0) }
            return names.compactMap { state.living.removeValue(forKey: $0) }
        }
        for zygote in gone { zygote.end() }
    }

    /// Ends all, for good.
    func close() {
        let all = state.withLock { state in
            state.isClosed = true
            defer { state.living = [:] }
            return Array(state.living.values)
        }
        for zygote in all { zygote.end() }
    }
}
