internal import IsolationProtocol
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// Sandboxes that stand complete before anybody asks for them: each is used once, and replaced in the background.
///
/// A request that finds none takes the same way as ever, which makes a sandbox for it.
final class ReadyPool: Sendable {
    /// What distinguishes ready sandboxes.
    struct Kind: Hashable, Sendable {
        /// The image's name.
        let image: String
        /// The program that waits in it; nil for none.
        var program: PrestartedProgram.Command?
        /// Whether it is to become a persistent one.
        var isPersistent = false
        /// Whether it has a network: one that reaches everything public, until it is somebody's.
        var hasNetwork = false

        /// What of the network one is made with.
        var network: SandboxNetwork { hasNetwork ? SandboxNetwork(enabled: true, allowedHosts: []) : .none }
    }

    /// How often it was asked, and how often it had one.
    struct Counts: Sendable {
        var taken = 0
        var missed = 0
    }

    struct State {
        var shelves: [Kind: PoolShelf] = [:]
        var counts = Counts()
        /// How many are being made, those too whose shelf has gone meanwhile.
        var building = 0
        var isClosed = false
    }

    /// The most kinds at a time.
    static let maximumKinds = 64

    /// How many user id slots are left to those that are not made ahead, and with how few ready ones give theirs back.
    private static let slotsLeft = (for: 320, least: 128)
    /// What a sandbox that stands ready has open here at most, of the half of the descriptors that all of them may have.
    private static let descriptorsEach = 12

    let settings: PoolSettings
    private let mostDescriptors = DescriptorLimit.current / 2
    let state = Mutex(State())
    let sandboxes: OneShotSandboxes
    let persistent: ReadyPersistent
    /// The executions that run, which come first.
    let queue: ExecutionQueue
    private let misses: PoolMisses
    let log: Logger

    init(
        _ settings: PoolSettings, sandboxes: OneShotSandboxes, persistent: ReadyPersistent, queue: ExecutionQueue,
        misses: PoolMisses, log: Logger
    ) {
        self.settings = settings
        self.sandboxes = sandboxes
        self.persistent = persistent
        self.queue = queue
        self.misses = misses
        self.log = log
    }

    /// A ready sandbox of that kind, for the caller alone; nil when there is none.
    ///
    /// - Parameter isDemand: Whether this counts when it is decided how many stand ready.
    func take(_ kind: Kind, of image: Image, isDemand: Bool = true) -> ReadySandbox? {
        guard settings.isEnabled else { return nil }
        let now = MonotonicClock.now
        while true {
            let taken = state.withLock { state -> ReadySandbox? in
                if state.shelves[kind] == nil {
                    guard isDemand, state.shelves.count < ReadyPool.maximumKinds else { return nil }
                    state.shelves[kind] = shelf(of: kind, image)
                }
                if isDemand { state.shelves[kind]?.demand.note(at: now) }
                // The one made last, whose memory is warm.
                let taken = state.shelves[kind]?.ready.popLast()
                if taken != nil { state.counts.taken += 1 } else if isDemand { state.counts.missed += 1 }
                return taken
            }
            guard let taken else {
                if isDemand { misses.note(at: now) }
                return nil
            }
            // One whose program has died, or that an operator has killed, is no good.
            guard !taken.isDead else {
                discard(taken)
                continue
            }
            return taken
        }
    }

    /// An empty shelf for a kind that nobody has asked for before.
    private func shelf(of kind: Kind, _ image: Image) -> PoolShelf {
        PoolShelf(
            image: image, whileAskedFor: kind.isPersistent || kind.hasNetwork ? settings.minimum : 0,
            maximum: kind.isPersistent ? ReadyDisks.maximum : .max)
    }

    /// Makes one of that kind.
    func make(_ kind: Kind, of image: Image) throws(SandboxError) -> ReadySandbox {
        kind.isPersistent
            ? try persistent.make(image, network: kind.network)
            : try sandboxes.makeReady(image, kind.program, network: kind.network)
    }

    /// Removes one in the background.
    func discard(_ ready: ReadySandbox) {
        if ready.sandbox.spec.isPersistent { persistent.discard(ready) } else { sandboxes.discard(ready.sandbox) }
    }

    /// Whether there are user ids for one more.
    var hasIDs: Bool { sandboxes.freeSlots > ReadyPool.slotsLeft.for }

    /// Whether there are descriptors for one more.
    var hasDescriptors: Bool {
        (readyCount + buildingCount + 1) * ReadyPool.descriptorsEach <= mostDescriptors
    }

    /// Whether what stands ready keeps others from what they need.
    var isShortOfIDs: Bool { sandboxes.freeSlots < ReadyPool.slotsLeft.least }

    /// How many stand ready.
    var readyCount: Int { state.withLock { $0.shelves.values.reduce(0) { $0 + $1.ready.count } } }

    /// How many are being made.
    var buildingCount: Int { state.withLock { $0.building } }

    /// How many stand ready of each template, those with a program that waits and those without together.
    var readyCounts: [ReadyCount] {
        let counts = state.withLock { state in
            state.shelves.map { kind, shelf in
                ReadyCount(
                    template: shelf.image.manifest.id, runtime: shelf.image.manifest.runtime.rawValue,
                    isPersistent: kind.isPersistent, ready: shelf.ready.count)
            }
        }
        var byTemplate: [ReadyCount] = []
        for count in counts {
            let known = byTemplate.firstIndex { $0.template == count.template && $0.isPersistent == count.isPersistent }
            if let known { byTemplate[known].ready += count.ready } else { byTemplate.append(count) }
        }
        return byTemplate.sorted { ($0.template, $0.isPersistent ? 1 : 0) < ($1.template, $1.isPersistent ? 1 : 0) }
    }

    /// How often it was asked, and how often it had one.
    var counts: Counts { state.withLock { $0.counts } }

    /// Removes those made from an image that is to go; none is made from it any more until it is asked for again.
    func drop(image name: String) {
        let dropped = state.withLock { state -> [ReadySandbox] in
            let kinds = state.shelves.keys.filter { $0.image == name }
            return kinds.flatMap { state.shelves.removeValue(forKey: $0)?.ready ?? [] }
        }
        for ready in dropped { discard(ready) }
    }

    /// Ends the pool and removes all.
    func close() {
        let dropped = state.withLock { state -> [ReadySandbox] in
            state.isClosed = true
            defer { state.shelves = [:] }
            return state.shelves.values.flatMap(\.ready)
        }
        for ready in dropped { discard(ready) }
    }
}
