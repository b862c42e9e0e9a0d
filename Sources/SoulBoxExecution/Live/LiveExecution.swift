internal import LinuxKernel
public import SoulBoxModel
internal import Synchronization

/// An execution that is watched while it runs: between the thread that carries it out and those who follow its output.
///
/// The thread puts in what the program prints; each watcher takes it out at its own pace. One watcher at a time holds the
/// execution: what it has not taken yet keeps the thread from reading more, so that the program waits at its pipe. Others
/// hold nothing up, and are told what they missed. Without a holder the execution goes on for a grace period.
public final class LiveExecution: Sendable {
    /// Wakes a watcher that has taken all there was; called on any thread, and must not block.
    public typealias Notify = @Sendable () -> Void

    /// The bounds of one execution.
    public struct Bounds: Sendable, Equatable {
        /// Bytes of output kept for those who come back; half of it may wait for the holder.
        public var replayBytes: Int
        /// Bytes of input that wait for the program.
        public var inputBytes: Int
        /// How long it goes on without a holder, in milliseconds.
        public var graceMilliseconds: Int

        /// Makes bounds; the defaults are those of the API.
        public init(replayBytes: Int = 1 << 20, inputBytes: Int = 1 << 20, graceMilliseconds: Int = 60_000) {
            self.replayBytes = replayBytes
            self.inputBytes = inputBytes
            self.graceMilliseconds = graceMilliseconds
        }
    }

    private struct Watcher {
        var next: Int64
        var knowsOfStart = false
        var isWaiting = false
        var isDisplaced = false
        let notify: Notify
    }

    private struct State {
        var log: OutputLog
        var watchers: [Int: Watcher] = [:]
        var lastWatcher = 0
        var holder: Int?
        /// Up to where a holder has taken the output.
        var held: Int64 = 1
        var detachedAt: UInt64?
        var isPaused = false
        var hasStarted = false
        var end: LiveEnd?
        var input: [UInt8] = []
        var isInputClosed = false
        var orders: [LiveOrder] = []
        var isCancelled = false
    }

    /// The execution's identifier, as `exec_…`.
    public let id: String

    /// The account that it belongs to, 16 bytes.
    public let account: [UInt8]

    /// The terminal that the program gets; nil gives it pipes.
    public let terminal: TerminalSize?

    /// Readable when the thread that carries it out has something to look at.
    let wake: Wake
    private let bounds: Bounds
    private let state: Mutex<State>

    /// Makes one that nobody watches yet.
    ///
    /// - Throws: Without a free descriptor.
    public init(
        id: String, account: [UInt8], terminal: TerminalSize? = nil, bounds: Bounds = .init()
    ) throws {
        self.id = id
        self.account = account
        self.terminal = terminal
        self.bounds = bounds
        wake = try Wake()
        state = Mutex(State(log: OutputLog(capacity: bounds.replayBytes)))
    }

    // MARK: - For those who watch

    /// Follows the execution from a piece on.
    ///
    /// - Parameters:
    ///   - sequence: The first piece that is wanted.
    ///   - holding: Whether the execution waits for this watcher; whoever held it before is displaced.
    /// - Returns: The watcher's number, for `next(for:)` and `leave(_:)`.
    public func watch(from sequence: Int64 = 1, holding: Bool, notify: @escaping Notify) -> Int {
        let (number, displaced) = state.withLock { state -> (Int, Notify?) in
            state.lastWatcher += 1
            let number = state.lastWatcher
            // Nobody can have had a piece that is not there yet.
            state.watchers[number] = Watcher(next: min(max(1, sequence), state.log.next), notify: notify)
            guard holding else { return (number, nil) }
            var displaced: Notify?
            if let holder = state.holder {
                state.watchers[holder]?.isDisplaced = true
                displaced = state.watchers[holder]?.notify
            }
            state.holder = number
            state.detachedAt = nil
            state.held = max(1, min(sequence, state.log.next))
            return (number, displaced)
        }
        displaced?()
        wake.signal()
        return number
    }

    /// The next thing for a watcher; nil when there is none, and then `notify` is called once when there is.
    public func next(for number: Int) -> LiveItem? {
        let (item, resumes) = state.withLock { state -> (LiveItem?, Bool) in
            guard var watcher = state.watchers[number] else { return (nil, false) }
            let item = LiveExecution.item(&watcher, state)
            watcher.isWaiting = item == nil
            state.watchers[number] = item?.isLast == true ? nil : watcher
            guard state.holder == number else { return (item, false) }
            state.held = max(state.held, watcher.next)
            let resumes = state.isPaused && !isFull(state)
            if resumes { state.isPaused = false }
            return (item, resumes)
        }
        if resumes { wake.signal() }
        return item
    }

    private static func item(_ watcher: inout Watcher, _ state: State) -> LiveItem? {
        if watcher.isDisplaced { return .displaced }
        if !watcher.knowsOfStart, state.hasStarted {
            watcher.knowsOfStart = true
            return .started
        }
        if watcher.next < state.log.first {
            let from = watcher.next
            watcher.next = state.log.first
            return .dropped(from: from, through: state.log.first - 1)
        }
        if let piece = state.log.piece(watcher.next) {
            watcher.next += 1
            return .output(piece)
        }
        return state.end.map { .ended($0, sequence: state.log.next) }
    }

    /// Watches no more. When the holder leaves, the grace period begins.
    public func leave(_ number: Int) {
        state.withLock { state in
            state.watchers[number] = nil
            guard state.holder == number else { return }
            state.holder = nil
            state.detachedAt = MonotonicClock.now
        }
        wake.signal()
    }

    /// Gives the program input; false when too much waits already, and then none of it is taken.
    public func give(_ bytes: [UInt8]) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isInputClosed, state.end == nil, state.input.count + bytes.count <= bounds.inputBytes else {
                return false
            }
            state.input.append(contentsOf: bytes)
            return true
        }
        if isTaken { wake.signal() }
        return isTaken
    }

    /// The program's input ends after what was given.
    public func closeInput() {
        state.withLock { $0.isInputClosed = true }
        wake.signal()
    }

    /// Has something done to the program; false when too much waits already.
    public func order(_ order: LiveOrder) -> Bool {
        let isTaken = state.withLock { state in
            guard state.orders.count < 64, state.end == nil else { return false }
            state.orders.append(order)
            return true
        }
        if isTaken { wake.signal() }
        return isTaken
    }

    /// Ends the execution as cancelled.
    public func cancel() {
        state.withLock { $0.isCancelled = true }
        wake.signal()
    }

    /// Bytes that keeping it takes, about.
    public var keptBytes: Int { state.withLock { $0.log.cost(from: $0.log.first) } + 1024 }

    /// Whether it has ended.
    public var hasEnded: Bool { state.withLock { $0.end != nil } }

    /// Tells all watchers how it ended.
    public func end(_ end: LiveEnd) {
        notify { state in
            guard state.end == nil else { return }
            state.log.finish()
            state.end = end
        }
    }

    // MARK: - For the thread that carries it out

    /// Notes that the first stage begins.
    func start() { notify { $0.hasStarted = true } }

    /// Notes what the program printed.
    func append(_ bytes: UnsafeRawBufferPointer, of stream: OutputPiece.Stream) {
        notify { $0.log.append(bytes, of: stream) }
    }

    /// Whether more output is taken now; if not, the thread is woken when it is.
    var takesOutput: Bool {
        state.withLock { state in
            state.isPaused = isFull(state)
            return !state.isPaused
        }
    }

    /// When it ends for want of a holder; nil while it has one.
    var abandonedAt: UInt64? {
        state.withLock { state in
            state.detachedAt.map { $0 + UInt64(bounds.graceMilliseconds) * 1_000_000 }
        }
    }

    /// Whether somebody wants its end.
    var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// What is to be done to the program, in order.
    func takeOrders() -> [LiveOrder] {
        state.withLock { state in
            defer { state.orders = [] }
            return state.orders
        }
    }

    /// Whether input waits, or its end.
    var hasInput: Bool { state.withLock { !$0.input.isEmpty || $0.isInputClosed } }

    /// Hands input to `write`, which tells how much of it was written; true when there is no more to come.
    func drainInput(_ write: (ArraySlice<UInt8>) -> Int) -> Bool {
        // Copied, so that no watcher waits for the program.
        let waiting = state.withLock { $0.input.prefix(64 << 10) }
        let count = waiting.isEmpty ? 0 : write(waiting)
        return state.withLock { state in
            state.input.removeFirst(min(count, state.input.count))
            return state.isInputClosed && state.input.isEmpty
        }
    }

    /// A terminal's input goes on after an end.
    func reopenInput() { state.withLock { $0.isInputClosed = false } }

    private func isFull(_ state: State) -> Bool { state.log.cost(from: state.held) >= bounds.replayBytes / 2 }

    /// Changes something, then wakes those who wait for it.
    private func notify(_ change: (inout State) -> Void) {
        let waiting = state.withLock { state -> [Notify] in
            change(&state)
            var waiting: [Notify] = []
            for (number, watcher) in state.watchers where watcher.isWaiting {
                state.watchers[number]?.isWaiting = false
                waiting.append(watcher.notify)
            }
            return waiting
        }
        for notify in waiting { notify() }
    }
}
