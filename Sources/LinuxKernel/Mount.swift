internal import CLinux
internal import Glibc

/// Mounts (mount(2), and the calls on descriptors since Linux 5.2).
public enum Mount {
    /// Flags of a mount (MS_…).
    public struct Flags: OptionSet, Sendable {
        /// The bits of mount(2).
        public let rawValue: UInt64
        /// Flags with these bits.
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        /// Nothing is written.
        public static let readOnly = Flags(rawValue: 1)
        /// Set-user-id bits and file capabilities do nothing.
        public static let noSUID = Flags(rawValue: 2)
        /// Device files do nothing.
        public static let noDevices = Flags(rawValue: 4)
        /// Nothing is executed.
        public static let noExecute = Flags(rawValue: 8)
    }

    /// Attributes of a mount on a descriptor (MOUNT_ATTR_…).
    public struct Attributes: OptionSet, Sendable {
        /// The bits of `struct mount_attr`.
        public let rawValue: UInt64
        /// Attributes with these bits.
        public init(rawValue: UInt64) { self.rawValue = rawValue }
        /// Nothing is written.
        public static let readOnly = Attributes(rawValue: 1)
        /// Set-user-id bits and file capabilities do nothing.
        public static let noSUID = Attributes(rawValue: 2)
        /// Device files do nothing.
        public static let noDevices = Attributes(rawValue: 4)
        /// Nothing is executed.
        public static let noExecute = Attributes(rawValue: 8)
        /// Reading a file writes nothing.
        public static let noAccessTimes = Attributes(rawValue: 0x10)
    }

    /// Where mounts made later spread to (mount_namespaces(7)).
    public enum Propagation: Sendable {
        /// Nowhere, and none arrive.
        case `private`
    }

    /// Mounts a new filesystem at a path.
    public static func mount(type: String, at path: String, flags: Flags, data: String) throws(SystemCallError) {
        try check("mount") { soulbox_mount(type, path, type, flags.rawValue, data) }
    }

    /// Sets the propagation of a mount, or of the whole tree below it.
    public static func setPropagation(
        _ path: String, _ propagation: Propagation, recursive: Bool
    ) throws(SystemCallError) {
        let flags: UInt64 = (1 << 18) | (recursive ? 1 << 14 : 0)  // MS_PRIVATE, MS_REC
        try check("mount") { soulbox_mount(nil, path, nil, flags, nil) }
    }

    /// Removes the topmost mount at a path; `detach` does so even while it is in use.
    public static func unmount(_ path: String, detach: Bool) throws(SystemCallError) {
        try check("umount2") { soulbox_unmount(path, detach ? 1 : 0) }
    }

    /// A mount of the tree at a path, attached nowhere yet (open_tree(2)).
    public static func openTree(_ path: String, clone: Bool) throws(SystemCallError) -> Descriptor {
        Descriptor(owning: try check("open_tree") { soulbox_open_tree(AT_FDCWD, path, clone ? 1 : 0) })
    }

    /// A new filesystem, attached nowhere yet (fsopen(2), fsconfig(2), fsmount(2)).
    public static func make(
        type: String, options: [(key: String, value: String)], switches: [String] = [], attributes: Attributes
    ) throws(SystemCallError) -> Descriptor {
        let context = Descriptor(owning: try check("fsopen") { soulbox_fsopen(type) })
        let raw = context.rawValue
        for option in options {
            try check("fsconfig") { soulbox_fsconfig_string(raw, option.key, option.value) }
        }
        for name in switches { try check("fsconfig") { soulbox_fsconfig_flag(raw, name) } }
        try check("fsconfig") { soulbox_fsconfig_create(raw) }
        return Descriptor(owning: try check("fsmount") { soulbox_fsmount(raw, UInt32(attributes.rawValue)) })
    }

    /// Sets attributes of a mount that is attached nowhere yet, takes others from it, and shifts its owners by the map of a
    /// user namespace (mount_setattr(2)).
    public static func setAttributes(
        of mount: borrowing Descriptor, _ attributes: Attributes, clearing cleared: Attributes = [],
        idMap userNamespace: CInt? = nil
    ) throws(SystemCallError) {
        let raw = mount.rawValue
        try check("mount_setattr") {
            soulbox_mount_setattr(raw, attributes.rawValue, cleared.rawValue, userNamespace ?? -1)
        }
    }

    /// Attaches a mount at a path (move_mount(2)).
    public static func move(_ mount: borrowing Descriptor, to path: String) throws(SystemCallError) {
        let raw = mount.rawValue
        try check("move_mount") { soulbox_move_mount(raw, AT_FDCWD, path, 0) }
    }

    /// Attaches a mount on an open directory (move_mount(2)).
    public static func move(_ mount: borrowing Descriptor, onto directory: borrowing Descriptor) throws(SystemCallError)
    {
        let raw = mount.rawValue
        let target = directory.rawValue
        try check("move_mount") { soulbox_move_mount(raw, target, "", 0x40) }  // MOVE_MOUNT_T_EMPTY_PATH
    }

    /// Sets the limits of a tmpfs by a descriptor of its root (fspick(2), fsconfig(2)).
    public static func resize(disk: CInt, bytes: Int64, inodes: Int) throws(SystemCallError) {
        let context = Descriptor(owning: try check("fspick") { soulbox_fspick(disk) })
        let raw = context.rawValue
        try check("fsconfig") { soulbox_fsconfig_string(raw, "size", String(bytes)) }
        try check("fsconfig") { soulbox_fsconfig_string(raw, "nr_inodes", String(inodes)) }
        try check("fsconfig") { soulbox_fsconfig_reconfigure(raw) }
    }
}
