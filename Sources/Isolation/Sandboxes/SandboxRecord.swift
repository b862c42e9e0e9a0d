internal import IsolationProtocol
internal import SoulBoxModel

/// What a persistent sandbox is, as `sandbox.json` keeps it.
struct SandboxRecord: Sendable, Equatable {
    /// Its identifier, which is the name of its directory.
    let id: String
    /// The account it belongs to.
    let account: String
    /// The name of the image's directory: a sandbox keeps its image when the template gets a newer one.
    let image: String
    /// What it may use.
    var limits: SandboxLimits
    /// What it may reach.
    var network: SandboxNetwork

    /// The restore of a snapshot that it has behind it.
    var restored: String?

    /// The form of the file.
    private static let version: Int64 = 1

    init(
        id: String, account: String, image: String, limits: SandboxLimits, network: SandboxNetwork = .none,
        restored: String? = nil
    ) {
        self.id = id
        self.account = account
        self.image = image
        self.limits = limits
        self.network = network
        self.restored = restored
    }

    /// The file's contents.
    var json: JSONValue {
        [
            "version": .integer(SandboxRecord.version), "sandbox": .string(id), "account": .string(account),
            "image": .string(image), "limits": limits.json, "network": network.json,
            "restored": JSONValue(restored),
        ]
    }

    /// Nil when the contents are none of this version.
    init?(json: JSONValue) {
        guard json["version"]?.integerValue == SandboxRecord.version, let id = json["sandbox"]?.stringValue,
            let account = json["account"]?.stringValue, let image = json["image"]?.stringValue,
            let limits = json["limits"].flatMap(SandboxLimits.init(json:))
        else { return nil }
        // Sandboxes of versions before the network have none.
        let network = json["network"].map(SandboxNetwork.init(json:)) ?? SandboxNetwork.none
        guard let network else { return nil }
        self.init(
            id: id, account: account, image: image, limits: limits, network: network,
            restored: json["restored"]?.stringValue)
    }
}
