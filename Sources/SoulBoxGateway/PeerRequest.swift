internal import SoulBoxModel

/// The first line from one gateway to another: which execution is followed, for whom. The account has been checked by the one
/// that asks; both are the same service.
struct PeerRequest: Sendable, Equatable {
    let execution: String
    let account: [UInt8]
    let from: Int64
    let holding: Bool
    /// What the asking connection is called in answers.
    let requestID: String

    /// The line.
    var json: JSONValue {
        [
            "execution": .string(execution), "account": .string(Base64.encode(account)), "from": .integer(from),
            "holding": .bool(holding), "request_id": .string(requestID),
        ]
    }
}

extension PeerRequest {
    /// Nil when a field is missing.
    init?(json: JSONObject) {
        guard let execution = json["execution"]?.stringValue,
            let account = json["account"]?.stringValue.flatMap(Base64.decode),
            let from = json["from"]?.integerValue, let holding = json["holding"]?.boolValue,
            let requestID = json["request_id"]?.stringValue
        else { return nil }
        self.init(execution: execution, account: account, from: from, holding: holding, requestID: requestID)
    }
}
