import SoulBoxModel
import SoulBoxService

extension OperatorConfiguration {
    /// The sandboxes that stand ready before anybody asks for them.
    struct ReadyPool: Decodable {
        /// Whether any do (bool, true).
        var isEnabled: Bool?
        /// The fewest of each system template (int, 2).
        var minimum: Int?
        /// The most memory of all together (size, a tenth of the machine's).
        var memory: Int64?

        enum CodingKeys: String, CodingKey, CaseIterable {
            case isEnabled = "enabled"
            case minimum, memory
        }

        init() {}

        init(from decoder: any Decoder) throws {
            try StrictKeys.check(decoder, CodingKeys.self)
            let values = try decoder.container(keyedBy: CodingKeys.self)
            isEnabled = try values.decodeIfPresent(Bool.self, forKey: .isEnabled)
            minimum = try values.decodeIfPresent(Int.self, forKey: .minimum)
            if let minimum, !(0...500).contains(minimum) {
                throw OperatorError(
                    "ready_pool.minimum is out of range: \(minimum)", advice: "Give a number from 0 to 500.")
            }
            guard values.contains(.memory) else { return }
            let text = try values.decode(String.self, forKey: .memory)
            guard let bytes = ByteSize.parse(text), bytes >= 16 << 20 else {
                throw OperatorError("ready_pool.memory is no size from 16M: \(text)", advice: "Write it as 512M or 2G.")
            }
            memory = bytes
        }

        /// Puts what is given in place of the defaults.
        func resolve(_ pool: inout ServiceConfiguration.ReadyPool) {
            pool.isEnabled = isEnabled ?? pool.isEnabled
            pool.minimum = minimum ?? pool.minimum
            pool.memoryBytes = memory ?? pool.memoryBytes
        }
    }
}
