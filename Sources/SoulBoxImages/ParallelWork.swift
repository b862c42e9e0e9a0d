internal import Dispatch
internal import Synchronization

/// The same work on many items, a few at a time.
enum ParallelWork {
    /// Runs `body` on every item, on up to `jobs` threads, and returns when all have ended.
    static func run<Item: Sendable>(_ items: [Item], jobs: Int, _ body: @Sendable (Item) -> Void) {
        let next = Mutex(0)
        DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, items.count))) { _ in
            while true {
                let index = next.withLock { position in
                    defer { position += 1 }
                    return position
                }
                guard index < items.count else { return }
                body(items[index])
            }
        }
    }
}
