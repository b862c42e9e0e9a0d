internal import SoulBoxModel
internal import SoulBoxStore

extension Alert {
    /// The alert with what happened to it and what others were told of it.
    func detailsJSON(_ events: [Event], _ deliveries: [WebhookDelivery.Report]) -> JSONValue {
        var object = json
        object["history"] = .array(events.map(\.json))
        object["deliveries"] = .array(deliveries.map(\.json))
        return .object(object)
    }
}

extension Alert.Event {
    fileprivate var json: JSONValue {
        [
            "event": .string(kind.rawValue), "at": .string(at.rfc3339),
            "key_id": JSONValue(keyID.map { Identifier.text(.key, uuid: $0) }),
            "account_id": JSONValue(accountID.map { Identifier.text(.account, uuid: $0) }),
            "comment": JSONValue(comment),
        ]
    }
}

extension WebhookDelivery.Report {
    fileprivate var json: JSONValue {
        [
            "delivery_id": .string(Identifier.text(.delivery, uuid: id)), "event": .string(event),
            "status": .string(status.rawValue), "attempts": .integer(attempts),
            "next_attempt_at": JSONValue(dueAt?.rfc3339), "finished_at": JSONValue(finishedAt?.rfc3339),
            "http_status": JSONValue(httpStatus), "error": JSONValue(error),
        ]
    }
}
