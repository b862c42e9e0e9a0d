internal import Glibc
internal import IsolationProtocol
internal import Logging
internal import NIOCore
internal import NIOPosix
internal import SoulBoxModel

/// Takes over the connections of sandboxes to the ports of HTTP and TLS: finds out which name each is for, and passes on
/// what goes to a name that the sandbox may reach, and to an address of exactly that name.
struct ConnectionService: Sendable {
    typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>
    /// Where a connection was going before it was taken over.
    typealias Destination = @Sendable (any Channel) async throws -> (address: String, port: UInt16)

    private static let greetingTime: TimeAmount = .seconds(10)
    private static let connectTime: TimeAmount = .seconds(10)
    private static let idleTime: TimeAmount = .seconds(300)
    private static let longestGreeting = 16 << 10

    let desk: NameDesk
    let group: any EventLoopGroup
    let destination: Destination
    let streams: NIOAsyncChannel<Stream, Never>
    let log: Logger

    /// Where it listens.
    var port: Int { streams.channel.localAddress?.port ?? 0 }

    /// Listens at an address that the host need not have yet.
    static func bind(
        _ address: String, desk: NameDesk, group: any EventLoopGroup, log: Logger,
        destination: @escaping Destination = originalDestination(of:)
    ) async throws -> ConnectionService {
        let streams = try await ServerBootstrap(group: group).serverChannelOption(.freeBind, value: 1)
            .serverChannelOption(.backlog, value: 1024)
            .bind(host: address, port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try wrap(channel) }
            }
        return ConnectionService(desk: desk, group: group, destination: destination, streams: streams, log: log)
    }

    /// Passes on until the process ends.
    func run() async throws {
        try await streams.executeThenClose { inbound in
            try await withThrowingDiscardingTaskGroup { tasks in
                for try await stream in inbound { tasks.addTask { await serve(stream) } }
            }
        }
    }

    /// Few and small buffers on the way: what is not read is not taken either, so that a sandbox fills no memory here.
    private static func wrap(_ channel: any Channel) throws -> Stream {
        try channel.pipeline.syncOperations.addHandler(IdleStateHandler(allTimeout: idleTime))
        try channel.pipeline.syncOperations.addHandler(IdleCloser())
        return try Stream(
            wrappingChannelSynchronously: channel,
            configuration: .init(
                backPressureStrategy: .init(lowWatermark: 1, highWatermark: 2), isOutboundHalfClosureEnabled: true))
    }

    private func serve(_ stream: Stream) async {
        let channel = stream.channel
        guard let address = channel.remoteAddress?.ipAddress, let policy = desk.table.policy(at: address),
            desk.table.open(channel, for: policy)
        else {
            channel.close(promise: nil)
            return
        }
        defer { desk.table.close(channel, for: policy) }
        let limit = channel.eventLoop.scheduleTask(in: ConnectionService.greetingTime) { channel.close(promise: nil) }
        defer { limit.cancel() }
        try? await stream.executeThenClose { inbound, outbound in
            let target = try await destination(channel)
            var iterator = inbound.makeAsyncIterator()
            var greeting: [UInt8] = []
            guard let name = try await self.name(&iterator, &greeting, port: target.port) else {
                return try await refuse(port: target.port, on: outbound)
            }
            guard policy.allows(name, port: target.port) else {
                log.info(
                    "refused a name", metadata: ["sandbox.id": "\(policy.sandbox)", "name": "\(name)"])
                return try await refuse(port: target.port, on: outbound)
            }
            // Before anything is connected: the address is one of this name's, however the program came by it.
            var place = target.address
            if !desk.table.isAdmitted(name, place, for: policy) {
                let (_, addresses, _) = await desk.admittedAddresses(of: name, policy)
                let texts = addresses.map { $0.map(String.init).joined(separator: ".") }
                guard let first = texts.first else { return try await refuse(port: target.port, on: outbound) }
                if !texts.contains(place) { place = first }
            }
            let remote = try await ClientBootstrap(group: group).connectTimeout(ConnectionService.connectTime)
                .connect(host: place, port: Int(target.port)) { channel in
                    channel.eventLoop.makeCompletedFuture { try ConnectionService.wrap(channel) }
                }
            limit.cancel()
            try await relay(greeting, &iterator, outbound, remote)
        }
    }

    /// The name that a connection is for; nil when it says none.
    private func name(
        _ iterator: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator, _ greeting: inout [UInt8],
        port: UInt16
    ) async throws -> String? {
        while greeting.count < ConnectionService.longestGreeting, let chunk = try await iterator.next() {
            greeting += chunk.readableBytesView
            if port == 443 {
                switch ServerName.find(in: greeting) {
                case .found(let name): return name
                case .none: return nil
                case .incomplete: continue
                }
            }
            switch RequestHost.find(in: greeting) {
            case .found(let name): return name
            case .none: return nil
            case .incomplete: continue
            }
        }
        return nil
    }

    /// Says no in the words of the protocol.
    private func refuse(port: UInt16, on outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>) async throws {
        // A fatal alert, unrecognized_name (RFC 8446, section 6.2; RFC 6066, section 3).
        let alert: [UInt8] = [21, 3, 3, 0, 2, 2, 112]
        let text = "This sandbox may not reach that host.\n"
        let page =
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: \(text.utf8.count)\r\n"
            + "Connection: close\r\n\r\n" + text
        try await outbound.write(ByteBuffer(bytes: port == 443 ? alert : Array(page.utf8)))
    }

    /// Passes both ways until both sides have said all, or one is gone.
    private func relay(
        _ greeting: [UInt8], _ iterator: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
        _ client: NIOAsyncChannelOutboundWriter<ByteBuffer>, _ remote: Stream
    ) async throws {
        try await remote.executeThenClose { inbound, outbound in
            async let back: Void = ConnectionService.copy(inbound, to: client)
            try await outbound.write(ByteBuffer(bytes: greeting))
            while let chunk = try await iterator.next() { try await outbound.write(chunk) }
            outbound.finish()
            try await back
        }
    }

    private static func copy(
        _ inbound: NIOAsyncChannelInboundStream<ByteBuffer>, to outbound: NIOAsyncChannelOutboundWriter<ByteBuffer>
    ) async throws {
        for try await chunk in inbound { try await outbound.write(chunk) }
        outbound.finish()
    }
}
