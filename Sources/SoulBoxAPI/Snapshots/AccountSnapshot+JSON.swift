internal import SoulBoxModel
internal import SoulBoxStore

extension AccountSnapshot {
    /// What is told of one that was just asked for.
    var createdJSON: JSONValue {
        [
            "snapshot_id": .string(identifier), "name": .string(name), "status": .string(status.rawValue),
            "created_at": .string(createdAt.rfc3339), "estimated_completion": .string(estimatedAt.rfc3339),
        ]
    }

    /// The snapshot with everything that is known of it.
    var detailsJSON: JSONValue {
        // One that is not whole yet is never told as whole.
        let share = totalBytes > 0 ? min(0.99, Double(doneBytes) / Double(totalBytes)) : 0
        return [
            "snapshot_id": .string(identifier), "sandbox_id": .string(sandbox), "name": .string(name),
            "description": .string(description), "status": .string(status.rawValue), "type": .string(form.rawValue),
            "parent_snapshot_id": JSONValue(parent), "compress": .bool(isCompressed),
            "include_memory": .bool(includesMemory), "size": JSONValue(sizeBytes.map(ByteSize.text)),
            "size_bytes": JSONValue(sizeBytes), "disk_bytes": .integer(diskBytes),
            "pause_us": JSONValue(pauseMicroseconds), "progress": .number(status == .completed ? 1 : share),
            "error": JSONValue(error), "created_at": .string(createdAt.rfc3339),
            "estimated_completion": .string(estimatedAt.rfc3339), "completed_at": JSONValue(finishedAt?.rfc3339),
            "tags": .object(tags),
        ]
    }
}
