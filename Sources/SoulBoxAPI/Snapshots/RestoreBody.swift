internal import SoulBoxModel

/// The body of `POST /snapshots/{id}/restore`, checked.
struct RestoreBody {
    private static let copiesAtMost: Int64 = 100

    /// The sandbox that is to get the snapshot's state; a new one without it.
    var target: String?
    /// What a new one is called.
    var name: String?
    /// How many new ones are made.
    var copies: Int64?
    /// Whether processes go on; nil is as the snapshot has it.
    var includesMemory: Bool?
    /// Whether the sandbox reaches what the snapshot's sandbox reached.
    var takesNetwork = false

    /// Reads it; what is wrong is noted.
    init(_ object: JSONObject, _ validation: inout Validation) {
        let reader = FieldReader(object)
        reader.refuseUnknown(except: ["target_sandbox_id", "name", "copies", "restore_options"], &validation)
        target = reader.string("target_sandbox_id", &validation)
        name = reader.name("name", &validation)
        copies = reader.bounded("copies", 1...RestoreBody.copiesAtMost, &validation)
        if target != nil {
            if copies != nil { validation.fail("copies", "Only without target_sandbox_id") }
            if name != nil { validation.fail("name", "Only without target_sandbox_id") }
        }
        guard let options = reader.object("restore_options", &validation) else { return }
        let inner = FieldReader(options, prefix: "restore_options.")
        inner.refuseUnknown(except: ["include_memory", "include_files", "preserve_network"], &validation)
        includesMemory = inner.bool("include_memory", &validation)
        takesNetwork = inner.bool("preserve_network", &validation) ?? false
        if inner.bool("include_files", &validation) == false {
            // The processes' open files are those of the snapshot; others would be others' data.
            validation.fail("restore_options.include_files", "Must be true: processes go on with the files they had")
        }
    }
}
