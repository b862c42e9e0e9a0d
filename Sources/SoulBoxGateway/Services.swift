internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SoulBoxAPI
internal import SoulBoxModel

/// What all connections of the process share.
struct Services: Sendable {
    let api: LiveAPI
    let hub: ExecutionHub
    let limits: GatewayLimits
    let pool: NIOThreadPool
    let seats: Seats
    /// Streams that hold a thread.
    let followers: Places
    let figures: SystemFigures
    /// Where the gateways of the machine find each other.
    let peers: PeerDirectory
    let metrics: WebSocketMetrics
    let group: any EventLoopGroup
    let log: Logger

    /// Makes a call that waits, on a thread for such calls. A connection makes one at a time, so that what waits is bounded
    /// by the connections.
    func call<Value: Sendable>(
        on loop: any EventLoop, _ body: @escaping @Sendable () throws(APIError) -> Value
    ) -> EventLoopFuture<Result<Value, APIError>> {
        pool.runIfActive(eventLoop: loop) { () -> Result<Value, APIError> in
            do throws(APIError) {
                return .success(try body())
            } catch {
                return .failure(error)
            }
        }
    }
}
