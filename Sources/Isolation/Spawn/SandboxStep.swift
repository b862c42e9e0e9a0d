/// The steps of making a sandbox and starting a program in it, as failures name them.
public enum SandboxStep: Sendable, Equatable {
    case userSlot
    case cgroupCreate
    case cgroupAttach
    case clone
    case idMap
    case oomScore
    case stageDisk
    case stageImage
    case stageOverlay
    case stageDevices
    /// In the child, before soulbox-init; the number is that of CLinux/sandbox_child.h.
    case child(Int32)
    case network
    case initReady
    case initConnect
    case zygote
    case workspace
    /// In the program's process, before its exec; the number is that of CProgram.h.
    case program(Int32)
    case posture
    case supervise
    case seal
    case snapshot
    case removal

    /// A name for logs.
    public var name: String {
        switch self {
        case .child(let number): "child." + SandboxStep.childNames[Int(number), default: "\(number)"]
        case .program(let number): "program.\(number)"
        default: "\(self)"
        }
    }

    private static let childNames = [
        "", "wait", "identity", "cgroup_namespace", "session", "hostname", "loopback", "mount_namespace", "bind_root",
        "mount_proc", "verify_proc", "mount_pts", "mount_shm", "mount_run", "pivot", "detach_old_root",
        "namespace_limits", "mask", "read_only", "descriptors", "exec",
    ]
}

extension [String] {
    fileprivate subscript(index: Int, default fallback: String) -> String {
        indices.contains(index) ? self[index] : fallback
    }
}
