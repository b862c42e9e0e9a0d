internal import NIOCore

/// struct sockaddr_in of ip(7), port and address as they travel.
private struct WireAddress: Sendable {
    var family: UInt16 = 0
    var port: UInt16 = 0
    var address: UInt32 = 0
    var padding: UInt64 = 0
}

/// Where a connection was going before the packet filter redirected it (SO_ORIGINAL_DST, linux/netfilter_ipv4.h).
@Sendable func originalDestination(of channel: any Channel) async throws -> (address: String, port: UInt16) {
    guard let provider = channel as? any SocketOptionProvider else { throw ChannelError.operationUnsupported }
    let wire: WireAddress = try await provider.unsafeGetSocketOption(level: .ip, name: .init(rawValue: 80)).get()
    let bytes = withUnsafeBytes(of: wire.address) { Array($0) }
    return (bytes.map(String.init).joined(separator: "."), UInt16(bigEndian: wire.port))
}
