internal import LinuxKernel

/// The sockets of the machine's gateways: each serves those of its executions whose clients come to another.
struct PeerDirectory: Sendable {
    let path: String
    let name: String

    /// This process's socket.
    var own: String { "\(path)/\(name)" }

    /// The others' sockets.
    func others() -> [String] {
        ((try? Files.list(path)) ?? []).filter { $0 != name }.map { "\(path)/\($0)" }
    }

    /// Takes this process's socket away.
    func remove() { try? Files.removeTree(own) }
}
