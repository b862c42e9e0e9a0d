internal import SoulBoxModel

/// How to find a running sandbox again after a restart of the isolator, as `run.json` keeps it.
struct SandboxRun: Sendable, Equatable {
    /// The start of the kernel that it belongs to.
    let boot: String
    /// The host's pid of its PID 1.
    let pid: Int32
    /// When that process started, in clock ticks since the kernel did (proc_pid_stat(5), starttime): a pid alone may have
    /// come to mean another process.
    let birth: UInt64
    /// The number of its user id slot.
    let slot: Int
    /// The host id that is 0 inside.
    let base: UInt32
    /// The number of its loop device.
    let loop: Int32
    /// When it was started.
    let startedAt: Timestamp
    /// The name of its cgroups.
    let group: String

    /// The file's contents.
    var json: JSONValue {
        [
            "boot": .string(boot), "pid": JSONValue(Int(pid)), "birth": JSONValue(Int(birth)), "slot": JSONValue(slot),
            "base": JSONValue(Int(base)), "loop": JSONValue(Int(loop)), "started_at": .string(startedAt.rfc3339),
            "group": .string(group),
        ]
    }

    init(
        boot: String, pid: Int32, birth: UInt64, slot: Int, base: UInt32, loop: Int32, startedAt: Timestamp,
        group: String
    ) {
        self.boot = boot
        self.pid = pid
        self.birth = birth
        self.slot = slot
        self.base = base
        self.loop = loop
        self.startedAt = startedAt
        self.group = group
    }

    /// Nil when the contents are none.
    ///
    /// - Parameter id: The sandbox's name, which its cgroups had in earlier versions.
    init?(json: JSONValue, id: String) {
        guard let boot = json["boot"]?.stringValue,
            let pid = json["pid"]?.integerValue.flatMap(Int32.init(exactly:)),
            let birth = json["birth"]?.integerValue.flatMap(UInt64.init(exactly:)),
            let slot = json["slot"]?.integerValue.flatMap(Int.init(exactly:)),
            let base = json["base"]?.integerValue.flatMap(UInt32.init(exactly:)),
            let loop = json["loop"]?.integerValue.flatMap(Int32.init(exactly:)),
            let startedAt = json["started_at"]?.stringValue.flatMap(Timestamp.init(rfc3339:))
        else { return nil }
        self.init(
            boot: boot, pid: pid, birth: birth, slot: slot, base: base, loop: loop, startedAt: startedAt,
            group: json["group"]?.stringValue ?? id)
    }
}
