internal import LinuxSecurity

/// The capabilities that the isolator keeps.
enum IsolatorPrivileges {
    /// Each with what needs it.
    static let kept: [Capability] = [
        .systemAdministration,  // namespaces, mounts, idmapped layers, devices filter
        .systemPtrace,  // /proc/<pid>/{root,ns,fd} of sandboxes
        .setUserID, .setGroupID,  // id maps of sandboxes
        .changeOwner,  // disks and pipes belong to the program's user
        .overrideFileAccess, .fileOwner,  // files of sandboxes belong to other ids
        .kill,  // PID 1 of a sandbox has another id
        .makeNode,  // the devices of /dev
    ]

    /// Kept where the host has them.
    private static let optional: [Capability] = [
        .systemResource,  // only with it can a disk grow while it is in use (EXT4_IOC_RESIZE_FS)
        .systemChangeRoot,  // CRIU enters mount namespaces (setns(2))
        .networkAdministration,  // links, addresses and rules of sandboxes with a network
    ]

    /// Whether sandboxes can have a network.
    static var hasNetwork: Bool { Capabilities.isAvailable(.networkAdministration) }

    /// Gives up everything else, in all sets, for good.
    static func reduce() throws(SandboxError) {
        do {
            try Capabilities.reduce(to: kept + optional.filter(Capabilities.isAvailable))
        } catch {
            throw SandboxError(.supervise, "capabilities: \(error)")
        }
    }
}
