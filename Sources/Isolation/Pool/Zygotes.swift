internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// The zygotes of the images whose interpreters can be forked.
final class Zygotes: Sendable {
    /// What distinguishes zygotes: an image, and the arguments that its interpreter was started with.
    private struct Kind: Hashable {
        let image: String
        let arguments: [String]
    }

    /// What one is made from.
    private struct Recipe {
        let image: Image
        let command: PrestartedProgram.Command
        let limits: [InitMessage.ResourceLimit]
    }

    private struct State {
        var living: [Kind: (zygote: Zygote, recipe: Recipe)] = [:]
        /// Where one could not be made, until when none is tried.
        var refused: [Kind: UInt64] = [:]
        var count = 0
        var isClosed = false
    }

    private static let pauseAfterFailure: UInt64 = 60_000_000_000
    /// The most at a time: a program's name is its user's choice.
    private static let maximum = 16

    private let root: String
    private let runtimeLayer: String
    private let cgroups: SandboxCgroups
    private let processes: ProcessFilesystem
    private let log: Logger
    private let state = Mutex(State())
    /// One is made at a time: they share the directory where roots are put together.
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

    /// The zygote for programs that are started with that command; nil where there is none.
    ///
    /// - Parameter mayMake: Whether the caller has the time for a new one.
    func zygote(
        of image: Image, _ command: PrestartedProgram.Command, limits: [InitMessage.ResourceLimit], mayMake: Bool
    ) -> Zygote? {
        guard command.isForked else { return nil }
        let kind = Kind(image: image.name, arguments: command.arguments)
        if let known = living(kind) { return known }
        guard mayMake else { return nil }
        return making.withLock { _ in
            living(kind) ?? make(kind, Recipe(image: image, command: command, limits: limits))
        }
    }

    private func living(_ kind: Kind) -> Zygote? {
        state.withLock { state in state.living[kind].flatMap { $0.zygote.isDead ? nil : $0.zygote } }
    }

    /// Puts new ones in the place of those that have done their work.
    func renew() {
        let spent = state.withLock { $0.living.filter { $0.value.zygote.isSpent } }
        for (kind, entry) in spent { making.withLock { _ in _ = make(kind, entry.recipe) } }
    }

    private func make(_ kind: Kind, _ recipe: Recipe) -> Zygote? {
        let now = MonotonicClock.now
        let number = state.withLock { state -> Int? in
            if let old = state.living[kind]?.zygote, old.isDead, !old.isUsed {
                // It cannot even start: its programs are started one by one, for a while.
                state.living[kind] = nil
                state.refused[kind] = now + Zygotes.pauseAfterFailure
            }
            guard !state.isClosed, now >= state.refused[kind] ?? 0,
                state.living[kind] != nil || state.living.count < Zygotes.maximum
            else { return nil }
            state.count += 1
            return state.count
        }
        guard let number else { return nil }
        do {
            let new = try Zygote(
                recipe.command, layers: [runtimeLayer, recipe.image.root], root: root, limits: recipe.limits,
                group: try cgroups.makeZygote("z-\(number)"), processes: processes)
            let (old, isKept) = state.withLock { state in
                let old = state.living[kind]?.zygote
                if !state.isClosed { state.living[kind] = (new, recipe) }
                return (old, !state.isClosed)
            }
            (isKept ? old : new)?.end()
            return isKept ? new : nil
        } catch {
            // Programs of the image are started one by one, as those of every other.
            log.warning(
                "an interpreter could not be made a zygote",
                metadata: ["image": "\(recipe.image.name)", "error": "\(error)"])
            state.withLock { $0.refused[kind] = now + Zygotes.pauseAfterFailure }
            return nil
        }
    }

    /// Ends those of images that are no longer wanted.
    func retain(_ images: Set<String>) {
        let gone = state.withLock { state in
            let kinds = state.living.keys.filter { !images.contains($0.image) }
            return kinds.compactMap { state.living.removeValue(forKey: $0)?.zygote }
        }
        for zygote in gone { zygote.end() }
    }

    /// Ends all, for good.
    func close() {
        let all = state.withLock { state in
            state.isClosed = true
            defer { state.living = [:] }
            return state.living.values.map(\.zygote)
        }
        for zygote in all { zygote.end() }
    }
}
