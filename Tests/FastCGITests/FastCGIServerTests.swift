import FastCGI
import Glibc
import LinuxKernel
import Synchronization
import Testing

/// The whole body of a request, or the error that reading it met.
private func readAll(_ request: FastCGIRequest) throws(FastCGIError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
        let result = withUnsafeTemporaryAllocation(byteCount: 10_000, alignment: 1) { chunk in
            Result { () throws(FastCGIError) in
                let count = try request.read(into: chunk)
                bytes.append(contentsOf: chunk[..<count])
                return count
            }
        }
        if try result.get() == 0 { return bytes }
    }
}

private func echo(_ request: FastCGIRequest, _ response: FastCGIResponse) {
    do {
        let body = try readAll(request)
        try response.start(status: 201, headers: [("X-Method", request.parameter("REQUEST_METHOD") ?? "none")])
        try response.write(body)
    } catch {
        try? response.start(status: 400, headers: [("X-Error", error.description)])
    }
}

@Suite("FastCGI server", .serialized)
struct FastCGIServerTests {
    @Test("answers with status, header fields and body")
    func answers() throws {
        let server = try TestServer(echo)
        defer { server.stop() }
        let answer = try server.client().request(["REQUEST_METHOD": "POST"], body: Array("hello".utf8))
        #expect(answer.head == "Status: 201 Created\r\nX-Method: POST")
        #expect(answer.body == Array("hello".utf8))
        #expect(answer.isComplete)
    }

    @Test("carries bodies of megabytes both ways unchanged")
    func largeBodies() throws {
        let server = try TestServer(echo)
        defer { server.stop() }
        let client = try server.client()
        let body = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        #expect(try client.request(body: body).body == body)
    }

    @Test("tells a body that is shorter than announced")
    func shortBody() throws {
        let server = try TestServer(echo)
        defer { server.stop() }
        let answer = try server.client().request(body: Array("abc".utf8), contentLength: 10)
        #expect(answer.head.hasPrefix("Status: 400"))
        #expect(answer.head.contains(FastCGIError.bodyTooShort.description))
    }

    @Test("a body that nobody read does not spoil the next request on the connection", arguments: [1000, 300_000])
    func unreadBody(size: Int) throws {
        let server = try TestServer { request, response in
            if request.parameter("ECHO") != nil { return echo(request, response) }
            try? response.start(status: 204, headers: [])
        }
        defer { server.stop() }
        let client = try server.client()
        let first = try client.request(body: [UInt8](repeating: 5, count: size), keep: true)
        #expect(first.head == "Status: 204 No Content")
        let second = try client.request(["ECHO": "1"], body: Array("next".utf8), keep: true)
        #expect(second.body == Array("next".utf8))
    }

    @Test("a header field with a line break is left out")
    func headerInjection() throws {
        let server = try TestServer { _, response in
            try? response.start(
                status: 200, headers: [("X-Good", "1"), ("X-Bad", "a\r\nSet-Cookie: b"), ("X\n", "c"), ("", "d")])
        }
        defer { server.stop() }
        #expect(try server.client().request().head == "Status: 200 OK\r\nX-Good: 1")
    }

    @Test("the handler sees that the client has gone")
    func clientGone() throws {
        let seen = Mutex<Bool?>(nil)
        let server = try TestServer { request, _ in
            _ = try? readAll(request)
            var entries = [PollEntry(descriptor: request.clientDescriptor, events: .remoteHangUp)]
            let count = try? Poll.wait(&entries, timeout: 5000)
            seen.withLock { $0 = count == 1 && entries[0].returned.contains(.remoteHangUp) }
        }
        var client: FastCGIClient? = try server.client()
        try client?.begin(contentLength: 0)
        try client?.sendBody([])
        usleep(50_000)
        #expect(seen.withLock { $0 } == nil)
        client = nil
        #expect(server.stop())
        #expect(seen.withLock { $0 } == true)
    }

    @Test("draining ends idle threads at once, also one that sleeps on a kept connection")
    func drainsIdle() throws {
        let server = try TestServer(threads: 8, echo)
        let client = try server.client()
        #expect(try client.request(keep: true).isComplete)
        usleep(20_000)
        let begin = MonotonicClock.now
        #expect(server.stop())
        #expect(MonotonicClock.now - begin < 1_000_000_000)
        #expect(try client.isClosedByServer())
    }

    @Test("draining waits for a request whose body is still coming in")
    func drainsBusy() throws {
        let entered = Mutex(false)
        let server = try TestServer { request, response in
            entered.withLock { $0 = true }
            echo(request, response)
        }
        let client = try server.client()
        try client.begin(contentLength: 6)
        try client.sendPart(Array("abc".utf8))
        while !entered.withLock({ $0 }) { usleep(1000) }
        #expect(!server.server.drain(timeoutMilliseconds: 100))
        #expect(server.server.busyThreads == 1)
        try client.sendBody(Array("def".utf8))
        #expect(try client.answer().body == Array("abcdef".utf8))
        #expect(server.stop())
    }

    @Test("serves more clients than it has threads")
    func manyClients() throws {
        let server = try TestServer(threads: 4, echo)
        defer { server.stop() }
        let right = Mutex(0)
        let running = Mutex(32)
        let path = server.path
        for number in 0..<32 {
            WorkerThread.start(name: "client") {
                let body = Array("client \(number)".utf8)
                for _ in 0..<20 {
                    let answer = try? FastCGIClient(path: path).request(body: body)
                    if answer?.body == body { right.withLock { $0 += 1 } }
                }
                running.withLock { $0 -= 1 }
            }
        }
        let deadline = MonotonicClock.now + 30_000_000_000
        while running.withLock({ $0 }) > 0, MonotonicClock.now < deadline { usleep(5000) }
        #expect(right.withLock { $0 } == 640)
    }
}
