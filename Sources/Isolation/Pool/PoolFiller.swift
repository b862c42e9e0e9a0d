internal import Glibc
internal import LinuxKernel
internal import Logging
internal import SoulBoxModel
internal import Synchronization

/// Keeps a pool filled, on threads of its own.
struct PoolFiller: Sendable {
    /// Two: while the program of one sandbox starts, the next sandbox is made.
    private static let threads = 2
    /// How often is looked what there is to do: soon after somebody took one, seldom otherwise; in microseconds.
    private static let pause: (soon: UInt32, seldom: UInt32) = (5_000, 100_000)
    private static let soonFor: UInt64 = 2_000_000_000
    /// How many of a kind are made ahead while executions run: where these take all processors nothing is won by it.
    private static let mostWhileBusy = 16 * ExecutionQueue.processors

    let pool: ReadyPool
    /// The kinds of which the minimum stands ready whether somebody asks or not.
    let standing: @Sendable () -> [(ReadyPool.Kind, Image)]

    /// Starts to fill.
    func start() {
        guard pool.settings.isEnabled else { return }
        for number in 0..<PoolFiller.threads {
            WorkerThread.start(name: "pool-\(number)") { fill(isFirst: number == 0) }
        }
    }

    private func fill(isFirst: Bool) {
        var refreshAt: UInt64 = 0
        while !pool.state.withLock({ $0.isClosed }) {
            let now = MonotonicClock.now
            if isFirst, now >= refreshAt {
                refresh()
                removeDead(at: now)
                refreshAt = now + 10_000_000_000
            }
            if isFirst { pool.sandboxes.zygotes.renew() }
            switch next(at: now) {
            case .build(let kind, let image):
                build(kind, image)
                continue
            case .drop(let ready): pool.discard(ready)
            case .nothing: break
            }
            if isFirst { trim(at: now) }
            let isSoon = pool.state.withLock { state in
                state.shelves.values.contains {
                    MonotonicClock.elapsed(from: $0.demand.lastTaken, to: now) < PoolFiller.soonFor
                }
            }
            usleep(isSoon ? PoolFiller.pause.soon : PoolFiller.pause.seldom)
        }
    }

    /// The kinds that are to stand ready now; an image that was built anew takes the place of its predecessor.
    private func refresh() {
        let wanted = standing()
        pool.sandboxes.zygotes.retain(Set(wanted.map(\.0.image)))
        pool.state.withLock { state in
            for kind in state.shelves.keys where !wanted.contains(where: { $0.0 == kind }) {
                state.shelves[kind]?.minimum = 0
            }
            for (kind, image) in wanted where !state.isClosed {
                if state.shelves[kind] == nil { state.shelves[kind] = PoolShelf(image: image) }
                state.shelves[kind]?.minimum = pool.settings.minimum
            }
        }
    }

    /// Removes those whose program has ended before it had work: a fault of the image, or of whoever killed it.
    private func removeDead(at now: UInt64) {
        let dead = pool.state.withLock { state -> [(ReadyPool.Kind, ReadySandbox)] in
            var dead: [(ReadyPool.Kind, ReadySandbox)] = []
            for (kind, shelf) in state.shelves {
                // Looked at once: one that dies meanwhile is found the next time.
                let found = shelf.ready.map(\.isDead)
                guard found.contains(true) else { continue }
                dead += zip(shelf.ready, found).filter(\.1).map { (kind, $0.0) }
                state.shelves[kind]?.ready = zip(shelf.ready, found).filter { !$0.1 }.map(\.0)
                state.shelves[kind]?.noteFailure(at: now)
            }
            return dead
        }
        for (kind, ready) in dead {
            pool.log.warning("a program that was started ahead has ended", metadata: ["image": "\(kind.image)"])
            pool.discard(ready)
        }
    }

    /// What to do next.
    private enum Step {
        case build(ReadyPool.Kind, Image)
        /// To make place for a kind that has less than its minimum.
        case drop(ReadySandbox)
        case nothing
    }

    /// What to make next: of the kind that has the smallest share of what it should have.
    private func next(at now: UInt64) -> Step {
        let isQuiet = pool.queue.isQuiet
        // One that is dropped gives its ids back when it is gone, which may take seconds: nothing is dropped for them here.
        guard pool.hasIDs else { return .nothing }
        let hasDescriptors = pool.hasDescriptors
        return pool.state.withLock { state in
            guard !state.isClosed else { return .nothing }
            var used: UInt64 = 0
            var best: (kind: ReadyPool.Kind, fraction: Double)?
            for (kind, shelf) in state.shelves {
                used += UInt64(shelf.count) * shelf.bytesEach
                let target = shelf.target(at: now)
                guard target > 0, now >= shelf.retryAt else { continue }
                // While executions run the processors are theirs, unless a kind is nearly used up.
                let wanted = isQuiet ? target : max(1, min(target / 4, PoolFiller.mostWhileBusy))
                guard shelf.count < wanted else { continue }
                let fraction = Double(shelf.count) / Double(target)
                if fraction < best?.fraction ?? 2 { best = (kind, fraction) }
            }
            guard let kind = best?.kind, let shelf = state.shelves[kind] else { return .nothing }
            guard hasDescriptors, used + shelf.bytesEach <= pool.settings.memoryBytes else {
                return shelf.count < max(shelf.minimum, 1) ? dropLargest(&state, for: kind) : .nothing
            }
            state.shelves[kind]?.building += 1
            state.building += 1
            return .build(kind, shelf.image)
        }
    }

    /// Takes one of the kind that has the most, unless it has hardly more than the least itself.
    private func dropLargest(_ state: inout ReadyPool.State, for kind: ReadyPool.Kind) -> Step {
        let others = state.shelves.filter { $0.key != kind && $0.value.ready.count > max($0.value.minimum, 1) }
        guard let largest = others.max(by: { $0.value.ready.count < $1.value.ready.count })?.key,
            let dropped = state.shelves[largest]?.ready.removeFirst()
        else { return .nothing }
        return .drop(dropped)
    }

    private func build(_ kind: ReadyPool.Kind, _ image: Image) {
        var made: ReadySandbox?
        do {
            made = try pool.make(kind, of: image)
        } catch {
            pool.log.warning(
                "a sandbox could not be made ready",
                metadata: ["image": "\(kind.image)", "error": "\(error)"])
        }
        let bytes = made.flatMap { try? $0.sandbox.group.group.memoryInUse() } ?? 0
        let unwanted = pool.state.withLock { state -> ReadySandbox? in
            state.shelves[kind]?.noteBuilt(made != nil, at: MonotonicClock.now)
            guard let made else { return nil }
            guard !state.isClosed, state.shelves[kind] != nil else { return made }
            state.shelves[kind]?.ready.append(made)
            // What the cgroup does not count: namespaces, mounts, groups.
            state.shelves[kind]?.bytesEach = bytes + 1 << 20
            return nil
        }
        if let unwanted { pool.discard(unwanted) }
        pool.state.withLock { $0.building -= 1 }
    }

    /// Removes what demand has left behind, a little at a time.
    private func trim(at now: UInt64) {
        let isTight = pool.isShortOfIDs
        let dropped = pool.state.withLock { state -> ReadySandbox? in
            for (kind, shelf) in state.shelves {
                let enough = isTight ? shelf.minimum : 2 * shelf.target(at: now)
                if shelf.ready.count > enough { return state.shelves[kind]?.ready.removeFirst() }
                if shelf.minimum == 0, shelf.count == 0,
                    MonotonicClock.elapsed(from: shelf.demand.lastTaken, to: now) > PoolShelf.forgetAfter
                {
                    state.shelves[kind] = nil
                }
            }
            return nil
        }
        if let dropped { pool.discard(dropped) }
    }
}
