internal import LinuxKernel
internal import NIOCore
internal import NIOPosix
internal import Synchronization

/// Asks servers of names, each question from a port and under a number that nobody can guess (RFC 5452).
final class NameResolver: Sendable {
    private static let patience: TimeAmount = .seconds(2)
    private static let payloadSize = 1232
    private static let cacheLimit = 4096
    private static let longestTTL: UInt32 = 300

    /// The addresses of a name.
    struct Addresses: Sendable {
        let code: UInt8
        let addresses: [[UInt8]]
        let ttl: UInt32
    }

    private let group: any EventLoopGroup
    private let servers: NameServers
    private let port: Int
    private let cache = Mutex<[String: (end: UInt64, addresses: Addresses)]>([:])

    init(group: any EventLoopGroup, servers: NameServers, port: Int = 53) {
        self.group = group
        self.servers = servers
        self.port = port
    }

    /// The addresses of a name, perhaps from memory; nil when no server answers.
    func addresses(of name: String) async -> Addresses? {
        let now = MonotonicClock.now
        if let known = cache.withLock({ $0[name] }), known.end > now { return known.addresses }
        guard let question = NameResolver.question(name),
            let answer = await ask(question, payloadSize: NameResolver.payloadSize),
            answer.code == AnswerCode.success.rawValue || answer.code == AnswerCode.unknownName.rawValue
        else { return nil }
        let ttl = min(answer.addresses.isEmpty ? 5 : max(answer.ttl, 1), NameResolver.longestTTL)
        let result = Addresses(code: answer.code, addresses: answer.addresses, ttl: ttl)
        cache.withLock { cache in
            if cache.count >= NameResolver.cacheLimit { cache = cache.filter { $0.value.end > now } }
            if cache.count < NameResolver.cacheLimit { cache[name] = (now + UInt64(ttl) * 1_000_000_000, result) }
        }
        return result
    }

    /// What the first server says that answers; nil when none does.
    func ask(_ question: NameQuestion, payloadSize: Int?) async -> NameAnswer? {
        for server in servers.addresses {
            guard let answer = await ask(server, question, payloadSize) else { continue }
            guard answer.isTruncated else { return answer }
            return await askAtLength(server, question, payloadSize) ?? answer
        }
        return nil
    }

    private func ask(_ server: String, _ question: NameQuestion, _ payloadSize: Int?) async -> NameAnswer? {
        let identifier = UInt16.random(in: 0...UInt16.max)
        do {
            let address = try SocketAddress(ipAddress: server, port: port)
            let channel = try await DatagramBootstrap(group: group).connect(to: address) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<AddressedEnvelope<ByteBuffer>, AddressedEnvelope<ByteBuffer>>(
                        wrappingChannelSynchronously: channel)
                }
            }
            let limit = channel.channel.eventLoop.scheduleTask(in: NameResolver.patience) {
                channel.channel.close(promise: nil)
            }
            defer { limit.cancel() }
            return try await channel.executeThenClose { inbound, outbound in
                let message = question.message(identifier: identifier, payloadSize: payloadSize)
                try await outbound.write(AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: message)))
                // What is no answer to this question came from somebody who guesses.
                for try await envelope in inbound {
                    let bytes = Array(envelope.data.readableBytesView)
                    if let answer = NameAnswer(bytes, to: question, identifier: identifier) { return answer }
                }
                return nil
            }
        } catch {
            return nil
        }
    }

    private func askAtLength(_ server: String, _ question: NameQuestion, _ payloadSize: Int?) async -> NameAnswer? {
        let identifier = UInt16.random(in: 0...UInt16.max)
        do {
            let channel = try await ClientBootstrap(group: group).connectTimeout(NameResolver.patience)
                .connect(host: server, port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            let limit = channel.channel.eventLoop.scheduleTask(in: NameResolver.patience) {
                channel.channel.close(promise: nil)
            }
            defer { limit.cancel() }
            return try await channel.executeThenClose { inbound, outbound in
                var frame = ByteBuffer()
                let message = question.message(identifier: identifier, payloadSize: payloadSize)
                frame.writeInteger(UInt16(message.count))
                frame.writeBytes(message)
                try await outbound.write(frame)
                var received = ByteBuffer()
                for try await chunk in inbound {
                    received.writeImmutableBuffer(chunk)
                    guard let length = received.getInteger(at: received.readerIndex, as: UInt16.self),
                        let bytes = received.getBytes(at: received.readerIndex + 2, length: Int(length))
                    else { continue }
                    return NameAnswer(bytes, to: question, identifier: identifier)
                }
                return nil
            }
        } catch {
            return nil
        }
    }

    /// A question of our own.
    private static func question(_ name: String) -> NameQuestion? {
        var wire: [UInt8] = []
        for label in name.split(separator: ".") {
            guard label.utf8.count <= 63 else { return nil }
            wire.append(UInt8(label.utf8.count))
            wire += Array(label.utf8)
        }
        wire += [0, 0, 1, 0, 1]
        return NameQuestion(
            identifier: 0, name: name, type: NameQuestion.RecordType.address, question: wire, payloadSize: payloadSize,
            wantsRecursion: true)
    }
}
