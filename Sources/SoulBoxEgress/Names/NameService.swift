internal import Logging
internal import NIOCore
internal import NIOPosix

/// Takes questions for names, over UDP and TCP at the same port (RFC 1035, section 4.2; RFC 7766).
struct NameService: Sendable {
    typealias Datagrams = NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>
    typealias Stream = NIOAsyncChannel<ByteBuffer, ByteBuffer>

    private static let idle: TimeAmount = .seconds(10)
    private static let longestMessage = 4096

    let desk: NameDesk
    let datagrams: Datagrams
    let streams: NIOAsyncChannel<Stream, Never>

    /// Where it listens.
    var port: Int { datagrams.channel.localAddress?.port ?? 0 }

    /// Listens at an address that the host need not have yet: it comes with the first sandbox.
    static func bind(_ address: String, desk: NameDesk, group: any EventLoopGroup) async throws -> NameService {
        let datagrams = try await DatagramBootstrap(group: group).channelOption(.freeBind, value: 1)
            .bind(host: address, port: 0) { channel in
                channel.eventLoop.makeCompletedFuture { try Datagrams(wrappingChannelSynchronously: channel) }
            }
        let port = datagrams.channel.localAddress?.port ?? 0
        let streams = try await ServerBootstrap(group: group).serverChannelOption(.freeBind, value: 1)
            .bind(host: address, port: port) { channel in
                channel.eventLoop.makeCompletedFuture { try Stream(wrappingChannelSynchronously: channel) }
            }
        return NameService(desk: desk, datagrams: datagrams, streams: streams)
    }

    /// Answers until the process ends.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await answerDatagrams() }
            tasks.addTask { try await answerStreams() }
            try await tasks.waitForAll()
        }
    }

    private func answerDatagrams() async throws {
        try await datagrams.executeThenClose { inbound, outbound in
            try await withThrowingDiscardingTaskGroup { tasks in
                for try await envelope in inbound {
                    // What comes in faster than it is answered ends here; a table of counters refuses far earlier.
                    guard let address = envelope.remoteAddress.ipAddress,
                        envelope.data.readableBytes <= NameService.longestMessage
                    else { continue }
                    let bytes = Array(envelope.data.readableBytesView)
                    tasks.addTask {
                        guard let answer = await desk.answer(bytes, from: address, maximum: nil) else { return }
                        // One that cannot be sent is one that got lost.
                        try? await outbound.write(
                            AddressedEnvelope(remoteAddress: envelope.remoteAddress, data: ByteBuffer(bytes: answer)))
                    }
                }
            }
        }
    }

    private func answerStreams() async throws {
        try await streams.executeThenClose { inbound in
            try await withThrowingDiscardingTaskGroup { tasks in
                for try await stream in inbound { tasks.addTask { await answer(stream) } }
            }
        }
    }

    /// The questions of one connection, one after the other.
    private func answer(_ stream: Stream) async {
        let channel = stream.channel
        guard let address = channel.remoteAddress?.ipAddress, let policy = desk.table.policy(at: address),
            desk.table.open(channel, for: policy)
        else {
            channel.close(promise: nil)
            return
        }
        defer { desk.table.close(channel, for: policy) }
        var limit = close(channel)
        defer { limit.cancel() }
        try? await stream.executeThenClose { inbound, outbound in
            var received = ByteBuffer()
            for try await chunk in inbound {
                received.writeImmutableBuffer(chunk)
                while let length = received.getInteger(at: received.readerIndex, as: UInt16.self) {
                    guard length <= NameService.longestMessage else { return }
                    guard let bytes = received.getBytes(at: received.readerIndex + 2, length: Int(length)) else {
                        break
                    }
                    received.moveReaderIndex(forwardBy: 2 + Int(length))
                    guard let answer = await desk.answer(bytes, from: address, maximum: 65_535) else { return }
                    var frame = ByteBuffer()
                    frame.writeInteger(UInt16(answer.count))
                    frame.writeBytes(answer)
                    try await outbound.write(frame)
                    limit.cancel()
                    limit = close(channel)
                }
                received.discardReadBytes()
            }
        }
    }

    private func close(_ channel: any Channel) -> Scheduled<Void> {
        channel.eventLoop.scheduleTask(in: NameService.idle) { channel.close(promise: nil) }
    }
}

extension ChannelOption where Self == ChannelOptions.Types.SocketOption {
    /// IP_FREEBIND of ip(7): an address that the host does not have may be bound to.
    static var freeBind: ChannelOptions.Types.SocketOption { .init(level: .ip, name: .init(rawValue: 15)) }
}
