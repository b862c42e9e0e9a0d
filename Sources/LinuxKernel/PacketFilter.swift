internal import Glibc

/// The kernel's packet filter, through nft(8) of the package nftables: its language is the interface that is documented.
public enum PacketFilter {
    /// The commands were refused.
    public struct Refusal: Error, Sendable, CustomStringConvertible {
        /// What nft says of them.
        public let text: String
        /// For the log.
        public var description: String { "nft: \(text)" }
    }

    private static let program = "/usr/sbin/nft"
    private static let patience: UInt64 = 20_000_000_000

    /// Whether nft is installed.
    public static var isAvailable: Bool { Files.exists(program) }

    /// Carries commands out, all or none (nft(8), "the file is applied atomically"). Gives what nft prints.
    public static func run(_ commands: String) throws {
        let input = try SealedFile.make(name: "nft", contents: Array(commands.utf8))
        _ = try run(["-f", "-"], input: input.rawValue)
    }

    /// A set with its elements, as libnftables-json(5) writes it.
    public static func list(set: String, of table: String) throws -> String {
        try run(["-j", "list", "set", "inet", table, set], input: nil)
    }

    private static func run(_ arguments: [String], input: CInt?) throws -> String {
        let output = try Pipe.make()
        let started = try Spawn(
            path: program, arguments: arguments, input: input, log: output.second.rawValue
        ).start()
        let process = started.takeProcess()
        let reader = output.closeSecond()
        var text: [UInt8] = []
        let deadline = MonotonicClock.now + patience
        while true {
            var entries = [PollEntry(descriptor: reader.rawValue, events: .input)]
            let now = MonotonicClock.now
            let left = deadline > now ? CInt((deadline - now) / 1_000_000) : 0
            _ = try Poll.wait(&entries, timeout: left)
            guard !entries[0].returned.isEmpty else {
                try? process.signal(SIGKILL)
                _ = try? process.waitForExit()
                throw Refusal(text: "no end within \(patience / 1_000_000_000) s")
            }
            let chunk = try Files.read(from: reader.rawValue, count: 65_536)
            if chunk.isEmpty { break }
            text += chunk
        }
        let status = try process.waitForExit()
        let printed = String(decoding: text, as: UTF8.self)
        guard case .exited(0) = status else {
            throw Refusal(text: printed.isEmpty ? "\(status)" : String(printed.prefix(2000)))
        }
        return printed
    }

    /// How many rules a table of the family `inet` has; 0 when it is not there.
    public static func ruleCount(of table: String, on socket: inout NetlinkSocket) throws(SystemCallError) -> Int {
        // NFNL_SUBSYS_NFTABLES, NFT_MSG_GETRULE; struct nfgenmsg with NFPROTO_INET.
        var message = NetlinkMessage(type: 10 << 8 | 7, flags: .dump, prefix: [1, 0, 0, 0])
        message.add(1, text: table)  // NFTA_RULE_TABLE
        return try socket.request(message, "list rules")
    }
}
