import FastCGI
import Glibc
import LinuxKernel

/// A FastCGI server on a socket of its own.
final class TestServer {
    let path: String
    let server: FastCGIServer
    private let listener: SharedDescriptor

    init(threads: Int = 4, _ handler: @escaping FastCGIServer.Handler) throws {
        path = "/tmp/soulbox-test-\(getpid())-\(UInt32.random(in: 0 ... .max)).sock"
        listener = SharedDescriptor(try UnixSocket.listen(at: path, kind: .stream, mode: 0o600, backlog: 64))
        server = try FastCGIServer(listener: listener.rawValue, handler: handler)
        server.start(threads: threads)
    }

    func client() throws -> FastCGIClient { try FastCGIClient(path: path) }

    /// Ends the threads; true when all ended in time.
    @discardableResult
    func stop() -> Bool {
        unlink(path)
        return server.drain(timeoutMilliseconds: 5000)
    }
}
