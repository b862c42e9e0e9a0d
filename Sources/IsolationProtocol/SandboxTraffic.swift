public import SoulBoxModel

/// What has gone over a sandbox's link since the sandbox was started.
public struct SandboxTraffic: Sendable, Equatable {
    /// Bytes that the sandbox sent, refused ones among them.
    public var sentBytes: Int64
    /// Bytes that the sandbox received.
    public var receivedBytes: Int64
    /// Packets of the sandbox that were thrown away, because they went where it may not reach or there were too many.
    public var refusedPackets: Int64

    /// Makes one.
    public init(sentBytes: Int64, receivedBytes: Int64, refusedPackets: Int64) {
        self.sentBytes = sentBytes
        self.receivedBytes = receivedBytes
        self.refusedPackets = refusedPackets
    }

    /// The Varlink type `Traffic`.
    public var json: JSONValue {
        [
            "sent_bytes": JSONValue(sentBytes), "received_bytes": JSONValue(receivedBytes),
            "refused_packets": JSONValue(refusedPackets),
        ]
    }

    /// Nil when a field is missing.
    public init?(json: JSONValue) {
        guard let sent = json["sent_bytes"]?.integerValue, let received = json["received_bytes"]?.integerValue,
            let refused = json["refused_packets"]?.integerValue
        else { return nil }
        self.init(sentBytes: sent, receivedBytes: received, refusedPackets: refused)
    }
}
