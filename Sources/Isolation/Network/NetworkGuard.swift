internal import Glibc
internal import LinuxKernel

/// Watches over the rules: an administrator's `nft flush ruleset` takes them away with everything else.
struct NetworkGuard {
    private static let pauseMicroseconds: UInt32 = 1_000_000

    let networks: SandboxNetworks

    /// Looks every second, for as long as the process lives. A look is one question to the kernel.
    func start() {
        let networks = networks
        WorkerThread.start(name: "network-guard") {
            while true {
                usleep(NetworkGuard.pauseMicroseconds)
                networks.verify()
                networks.follow()
            }
        }
    }
}
