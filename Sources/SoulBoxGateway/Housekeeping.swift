internal import Logging
internal import NIOCore
internal import SoulBoxAPI
internal import SoulBoxModel

/// What a gateway does of itself, every few seconds: it lets go of what has ended, and ends the connections whose keys were revoked
/// or are over, whose secrets were replaced, or whose tokens' time is over. A request is checked as it comes; a connection
/// outlives the check that opened it.
struct Housekeeping {
    private let services: Services

    init(_ services: Services) { self.services = services }

    /// Begins; it ends with the process.
    func start() {
        let services = services
        let interval = TimeAmount.seconds(Int64(services.limits.checkSeconds))
        let loop = services.group.next()
        loop.scheduleRepeatedAsyncTask(initialDelay: interval, delay: interval) { _ in
            services.hub.forgetOld()
            let held = services.seats.credentials
            guard !held.isEmpty else { return loop.makeSucceededVoidFuture() }
            return services.call(on: loop) { () throws(APIError) in try services.api.good(among: held) }.map { result in
                // Without the database nobody knows; nothing new is let in then either.
                guard case .success(let good) = result else { return }
                let gone = held.subtracting(good)
                guard !gone.isEmpty else { return }
                services.log.notice(
                    "connections end whose credentials are good no more", metadata: ["credentials": "\(gone.count)"])
                services.seats.end(gone)
            }
        }
    }
}
