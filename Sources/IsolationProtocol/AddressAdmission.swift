public import SoulBoxModel

/// The call `AdmitAddresses`: what a name of a sandbox's policy means now.
public struct AddressAdmission: Sendable, Equatable {
    /// The sandbox.
    public var sandbox: String
    /// The generation of the policy that has the name.
    public var generation: Int64
    /// Addresses, as dotted numbers.
    public var addresses: [String]
    /// Ports; none means all.
    public var ports: [UInt16]
    /// For how long.
    public var seconds: Int

    /// Makes a call.
    public init(sandbox: String, generation: Int64, addresses: [String], ports: [UInt16], seconds: Int) {
        self.sandbox = sandbox
        self.generation = generation
        self.addresses = addresses
        self.ports = ports
        self.seconds = seconds
    }

    /// The call's parameters.
    public var json: JSONValue {
        [
            "sandbox": .string(sandbox), "generation": .integer(generation),
            "addresses": .array(addresses.map(JSONValue.string)), "ports": .array(ports.map { JSONValue(Int($0)) }),
            "seconds": JSONValue(seconds),
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let sandbox = json["sandbox"]?.stringValue, let generation = json["generation"]?.integerValue,
            let addressValues = json["addresses"]?.arrayValue, let portValues = json["ports"]?.arrayValue,
            let seconds = json["seconds"]?.integerValue.flatMap(Int.init(exactly:))
        else { return nil }
        let addresses = addressValues.compactMap(\.stringValue)
        let ports = portValues.compactMap { $0.integerValue.flatMap(UInt16.init(exactly:)) }
        guard addresses.count == addressValues.count, ports.count == portValues.count else { return nil }
        self.init(sandbox: sandbox, generation: generation, addresses: addresses, ports: ports, seconds: seconds)
    }
}
