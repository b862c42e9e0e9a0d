/// Where soulbox-egress listens, at the gateway's address.
struct EgressPorts: Sendable, Equatable {
    /// Questions for names.
    let names: UInt16
    /// Connections to names.
    let connections: UInt16

    /// What is sent to a port, and the port that takes it.
    var targets: [(port: UInt16, target: UInt16)] { [(53, names), (80, connections), (443, connections)] }
}
