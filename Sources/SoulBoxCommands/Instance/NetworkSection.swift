import SoulBoxModel
import SoulBoxService

extension OperatorConfiguration {
    /// The networks of sandboxes.
    struct Network: Decodable {
        /// Whether sandboxes may have one (bool, true).
        var isEnabled: Bool?
        /// Servers of names, as addresses (list; none: those of the host's resolv.conf).
        var resolvers: [String]?
        /// Connections of a sandbox at once (int, 1024).
        var connections: Int?
        /// Connections that a sandbox opens in a second (int, 200).
        var newConnectionsPerSecond: Int?
        /// What a sandbox sends in a second, and receives in one (size, 100M).
        var bandwidth: Int64?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case isEnabled = "enabled"
            case resolvers, connections, bandwidth
            case newConnectionsPerSecond = "new_connections_per_second"
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            isEnabled = try values.decodeIfPresent(Bool.self, forKey: .isEnabled)
            connections = try Network.number(values, .connections, 1...65_536)
            newConnectionsPerSecond = try Network.number(values, .newConnectionsPerSecond, 1...10_000)
            resolvers = try values.decodeIfPresent([String].self, forKey: .resolvers)
            for text in resolvers ?? [] {
                guard let address = AddressRange(text), !address.isVersion6, address.prefix == 32 else {
                    throw OperatorError(
                        "network.resolvers has no address of IPv4: \(text)", advice: "Write it as 192.0.2.53.")
                }
            }
            guard values.contains(.bandwidth) else { return }
            let text = try values.decode(String.self, forKey: .bandwidth)
            // The packet filter counts in 32 bits.
            guard let bytes = ByteSize.parse(text), (64 << 10...2 << 30).contains(bytes) else {
                throw OperatorError(
                    "network.bandwidth is no size from 64K to 2G: \(text)",
                    advice: "Write it as 10M; it is for a second.")
            }
            bandwidth = bytes
        }

        /// Puts what is given in place of the defaults.
        func resolve(_ network: inout ServiceConfiguration.Network) {
            network.isEnabled = isEnabled ?? network.isEnabled
            network.resolvers = resolvers ?? network.resolvers
            network.connections = connections ?? network.connections
            network.newConnectionsPerSecond = newConnectionsPerSecond ?? network.newConnectionsPerSecond
            network.bytesPerSecond = bandwidth.map { Int($0) } ?? network.bytesPerSecond
        }

        private static func number(
            _ values: KeyedDecodingContainer<CodingKeys>, _ key: CodingKeys, _ range: ClosedRange<Int>
        ) throws -> Int? {
            guard let number = try values.decodeIfPresent(Int.self, forKey: key) else { return nil }
            guard range.contains(number) else {
                throw OperatorError(
                    "network.\(key.rawValue) is out of range: \(number)",
                    advice: "Give a number from \(range.lowerBound) to \(range.upperBound).")
            }
            return number
        }
    }
}
