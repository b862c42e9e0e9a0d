import Glibc
import LinuxKernel

/// A server on all of the host's addresses, that counts who comes.
final class HostListener: Sendable {
    private let socket: Int32
    private let count = Monitor(0)

    init(port: UInt16) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0, listen(socket, 64) == 0 else { throw SystemCallError(call: "bind", errno: errno) }
        WorkerThread.start(name: "host-service") { [socket, count] in
            while true {
                let connection = accept(socket, nil, nil)
                guard connection >= 0 else { return }
                count.update { $0 += 1 }
                _ = send(connection, "host", 4, Int32(MSG_NOSIGNAL))
                Glibc.close(connection)
            }
        }
    }

    var visits: Int { count.read { $0 } }

    func close() {
        shutdown(socket, Int32(SHUT_RDWR))
        Glibc.close(socket)
    }
}
