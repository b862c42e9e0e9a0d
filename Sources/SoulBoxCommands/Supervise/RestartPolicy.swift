/// When a process that ended is started again: at once the first time, then after twice as long each time.
struct RestartPolicy: Equatable {
    /// The first pause in milliseconds; nothing is gained by a tighter loop.
    static let first = 100
    /// The longest pause in milliseconds.
    static let longest = 5000
    /// A process that lived so long, in milliseconds, is healthy: the next pause is the first again.
    static let healthyAfter = 10_000

    private(set) var pause = RestartPolicy.first

    /// The pause before the next start, for a process that lived that many milliseconds.
    mutating func next(livedMilliseconds: Int) -> Int {
        if livedMilliseconds >= RestartPolicy.healthyAfter { pause = RestartPolicy.first }
        defer { pause = min(pause * 2, RestartPolicy.longest) }
        return pause
    }
}
