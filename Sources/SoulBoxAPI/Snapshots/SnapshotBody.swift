internal import SoulBoxModel
internal import SoulBoxStore

/// The body of `POST /sandboxes/{id}/snapshots`, checked.
struct SnapshotBody {
    private static let tagCount = 50
    private static let tagBytes = 256

    var name = ""
    var description = ""
    var form = AccountSnapshot.Form.full
    var parent: [UInt8]?
    var compress = false
    var includesMemory = false
    var tags = JSONObject([])

    /// Reads it; what is wrong is noted.
    init(_ object: JSONObject, _ validation: inout Validation) {
        let reader = FieldReader(object)
        reader.refuseUnknown(
            except: ["name", "description", "type", "parent_snapshot_id", "compress", "include_memory", "tags"],
            &validation)
        name = reader.requiredName("name", &validation) ?? ""
        description =
            reader.value("description").flatMap {
                FieldReader.plainText($0, "description", atMost: 2000, &validation)
            } ?? ""
        form = reader.choice("type", &validation) ?? .full
        compress = reader.bool("compress", &validation) ?? false
        includesMemory = reader.bool("include_memory", &validation) ?? false
        if let text = reader.string("parent_snapshot_id", &validation) {
            parent = Identifier.parse(text, .snapshot)
            if parent == nil { validation.fail("parent_snapshot_id", "Is no snapshot's identifier") }
            if form == .full { validation.fail("parent_snapshot_id", "Only an incremental snapshot has one") }
        }
        guard let given = reader.object("tags", &validation) else { return }
        if given.members.count > SnapshotBody.tagCount {
            validation.fail("tags", "Must have at most \(SnapshotBody.tagCount) members")
            return
        }
        for member in given.members {
            if member.name.isEmpty || member.name.utf8.count > SnapshotBody.tagBytes {
                validation.fail("tags", "Names must have 1 to \(SnapshotBody.tagBytes) bytes")
            }
            _ = FieldReader.plainText(member.value, "tags", atMost: SnapshotBody.tagBytes, &validation)
        }
        tags = given
    }
}
