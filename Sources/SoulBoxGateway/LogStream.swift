internal import LinuxKernel
internal import NIOCore
internal import SoulBoxAPI
internal import SoulBoxModel

/// `GET /sandboxes/{id}/processes/{pid}/logs?follow=true`: a line of JSON for each piece of output as it comes, and a last one
/// that tells how the process ended. Asking waits, so each stream has a thread; there are only so many.
final class LogStream: OutputStream {
    private let reply: StreamReply
    private let services: Services
    private let sandbox: String
    private let process: String
    private let call: LiveCall
    private let gate = LogGate()

    init(_ reply: StreamReply, _ services: Services, sandbox: String, process: String, _ call: LiveCall) {
        self.reply = reply
        self.services = services
        self.sandbox = sandbox
        self.process = process
        self.call = call
    }

    /// Begins.
    func start() {
        guard services.followers.take() else { return reply.fail(.unavailable) }
        let (services, reply, gate) = (services, reply, gate)
        let (sandbox, process, call) = (sandbox, process, call)
        gate.set(hasRoom: true)
        WorkerThread.start(name: "logs") {
            defer { services.followers.leave() }
            var hasBegun = false
            do throws(APIError) {
                try services.api.followLogs(of: process, in: sandbox, call) { caller in
                    services.seats.take(caller, call.credential, reply.channel)
                } send: { bytes in
                    if !hasBegun { reply.start("application/x-ndjson") }
                    hasBegun = true
                    guard gate.pass() else { return false }
                    reply.write(bytes)
                    if !reply.hasRoom {
                        gate.set(hasRoom: false)
                        // There may have been room again before that was noted.
                        if reply.hasRoom { gate.set(hasRoom: true) }
                    }
                    return true
                }
            } catch {
                if !hasBegun { return reply.fail(error) }
            }
            reply.end()
        }
    }

    func hasRoom() { gate.set(hasRoom: true) }

    func closed() { gate.close() }
}

/// Whether a client takes more: its thread waits for that.
final class LogGate: Sendable {
    private let state = Monitor((hasRoom: false, isClosed: false))

    func set(hasRoom: Bool) { state.update { $0.hasRoom = hasRoom } }
    func close() { state.update { $0.isClosed = true } }

    /// Waits for room; false when the client is gone.
    func pass() -> Bool {
        state.wait { $0.isClosed ? false : $0.hasRoom ? true : nil } ?? false
    }
}

/// Places for streams that hold a thread.
final class Places: Sendable {
    private let left: Monitor<Int>

    init(_ count: Int) { left = Monitor(count) }

    func take() -> Bool {
        left.update { left in
            guard left > 0 else { return false }
            left -= 1
            return true
        }
    }

    func leave() { left.update { $0 += 1 } }
}
