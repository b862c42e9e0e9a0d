internal import Glibc
internal import LinuxKernel
internal import Logging
internal import Postgres

/// Takes jobs from the database as long as there is a place for one, and carries each out on a thread of its own.
final class JobQueue<Job: Sendable>: Sendable {
    private static var pollMilliseconds: Int32 { 1000 }
    private static var retryMicroseconds: UInt32 { 500_000 }

    private let name: String
    private let databaseURL: String
    private let channel: String
    private let all: Int
    private let places: Monitor<(free: Int, isStopping: Bool)>
    private let log: Logger
    private let take: @Sendable () throws -> Job?

    /// Makes one that takes nothing yet.
    ///
    /// - Parameters:
    ///   - name: What its threads are called.
    ///   - channel: Where the database tells of new jobs (LISTEN); once a second is looked without it.
    ///   - places: How many jobs are carried out at once.
    ///   - take: Gives the job that waits longest to this process; nil when none waits.
    init(
        _ name: String, databaseURL: String, channel: String, places: Int, log: Logger,
        take: @escaping @Sendable () throws -> Job?
    ) {
        self.name = name
        self.databaseURL = databaseURL
        self.channel = channel
        all = places
        self.places = Monitor((places, false))
        self.log = log
        self.take = take
    }

    /// Starts its thread.
    func start(carryOut: @escaping @Sendable (Job) -> Void) {
        WorkerThread.start(name: name) { [self] in serve(carryOut) }
    }

    /// Takes nothing more.
    func close() { places.update { $0.isStopping = true } }

    /// Takes nothing more, and waits for what is in progress until then.
    func stop(until deadline: UInt64) {
        close()
        _ = places.wait(until: deadline) { [all] in $0.free == all ? true : nil }
    }

    private func serve(_ carryOut: @escaping @Sendable (Job) -> Void) {
        let listener = PostgresListener(databaseURL, channel: channel)
        while true {
            // A place first: what is taken without one would wait here instead of where others could take it.
            let isStopping = places.wait { state -> Bool? in
                if state.isStopping { return true }
                guard state.free > 0 else { return nil }
                state.free -= 1
                return false
            }
            if isStopping == true { return }
            do {
                if let job = try take() {
                    WorkerThread.start(name: name) { [places] in
                        carryOut(job)
                        places.update { $0.free += 1 }
                    }
                    continue
                }
                places.update { $0.free += 1 }
                _ = try listener.wait(milliseconds: JobQueue.pollMilliseconds)
            } catch {
                places.update { $0.free += 1 }
                log.warning("no jobs can be read", metadata: ["queue": "\(name)", "error": "\(error)"])
                usleep(JobQueue.retryMicroseconds)
            }
        }
    }
}
