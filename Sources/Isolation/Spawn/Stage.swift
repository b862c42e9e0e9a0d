internal import Glibc
internal import LinuxKernel

/// Where the root of a sandbox is put together: a mount namespace of one builder thread's own.
///
/// A sandbox's mounts live here only until its own mount namespace has its copy. When the isolator dies, the namespace
/// dies with it, and with the namespace every mount: there is none to leak.
struct Stage {
    /// The stage's directory; a tmpfs of the thread's namespace.
    private let path: String

    /// The prepared root, for the child: relative to the thread's working directory. The child inherits that directory
    /// and its copy of the mounts, but as root of its own namespace it may not search the path to it.
    static let root = "root"

    private var root: String { path + "/root" }

    /// The prepared root and the devices beside it, for CRIU.
    var rootPath: String { root }
    var devicesPath: String { path + "/devices" }

    /// The places of a sandbox's mounts, the topmost first.
    private static let mounts = ["devices", "root", "runtime", "template", "image", "disk"]

    /// Gives the calling thread a mount namespace of its own. It must belong to this thread for good.
    init(path: String) throws(SandboxError) {
        self.path = path
        try step(.stageDisk) { () throws(SystemCallError) in
            try Namespaces.unshare([.mount])
            // Nothing mounted here may reach the host, and nothing the host mounts later may arrive.
            try Mount.setPropagation("/", .private, recursive: true)
            try Files.makeDirectory(path, mode: 0o700)
            try Mount.mount(
                type: "tmpfs", at: path, flags: [.noSUID, .noDevices], data: "size=64k,nr_inodes=64,mode=0711")
            for name in Stage.mounts { try Files.makeDirectory("\(path)/\(name)", mode: 0o700) }
            // The thread's own since it unshared its mount namespace. Overlay options below are relative to it.
            try Files.changeDirectory(path)
        }
    }

    /// The sandbox's disk: a tmpfs with a limit of bytes and of inodes, holding the upper layer. Returns its root.
    func mountDisk(bytes: Int64, inodes: Int, owner: UserSlot) throws(SandboxError) -> SharedDescriptor {
        try step(.stageDisk) { () throws(SystemCallError) in
            try Mount.mount(
                type: "tmpfs", at: "\(path)/disk", flags: [.noSUID, .noDevices],
                data: "size=\(bytes),nr_inodes=\(inodes),mode=0700")
            let disk = SharedDescriptor(try Files.openDirectory("\(path)/disk"))
            // The upper layer's root is the sandbox's root directory: it belongs to PID 1's user.
            for name in ["upper", "work"] {
                try Files.makeDirectory(name, mode: 0o755, at: disk.rawValue)
                try Files.setOwner(name, user: owner.base, group: owner.base, at: disk.rawValue)
            }
            try Files.makeDirectory("upper/workspace", mode: 0o755, at: disk.rawValue)
            try Files.setOwner(
                "upper/workspace", user: owner.hostProgram, group: owner.hostProgram, at: disk.rawValue)
            return disk
        }
    }

    /// The sandbox's disk: the ext4 filesystem in a file, holding the upper layer. Returns the number of its loop device.
    ///
    /// What is on the disk belongs to the ids from 0 on, whatever slot the sandbox has: the mount shifts them.
    func mountDisk(image: String, userNamespace: CInt) throws(SandboxError) -> Int32 {
        try step(.stageDisk) { () throws(SystemCallError) in try attachDisk(image, userNamespace) }
    }

    private func attachDisk(_ image: String, _ userNamespace: CInt) throws(SystemCallError) -> Int32 {
        let file = try Files.open(image, .readWrite, resolve: .noSymlinks)
        let device = try LoopDevice(file: file)
        // Freed blocks go back to the host. After an error nothing is written any more that could make it worse.
        let mount = try Mount.make(
            type: "ext4", options: [("source", device.path), ("errors", "remount-ro")], switches: ["discard"],
            attributes: [.noSUID, .noDevices, .noAccessTimes])
        // Before the ids are shifted: through a shifted mount the host's root could make nothing.
        for (name, owner) in [("upper", 0), ("work", 0), ("upper/workspace", UserSlot.program)] as [(String, UInt32)] {
            do throws(SystemCallError) {
                try Files.createDirectory(name, mode: 0o755, at: mount.rawValue)
                try Files.setOwner(name, user: owner, group: owner, at: mount.rawValue)
            } catch  where error.errno == EEXIST {}
        }
        try Mount.setAttributes(of: mount, [], idMap: userNamespace)
        try Mount.move(mount, to: "\(path)/disk")
        return device.number
    }

    /// A read-only layer, its owners shifted into the sandbox's range by the sandbox's own user namespace.
    func mountLayer(_ source: String, as name: String, userNamespace: borrowing Descriptor) throws(SandboxError) {
        try step(.stageImage) { () throws(SystemCallError) in
            let tree = try Mount.openTree(source, clone: true)
            try Mount.setAttributes(
                of: tree, [.readOnly, .noSUID, .noDevices], idMap: userNamespace.rawValue)
            try Mount.move(tree, to: "\(path)/\(name)")
        }
    }

    /// What a user's template adds to its base, from a device that all its sandboxes share; its owners shifted as those of
    /// other layers. The directory `upper` in it is the layer: it was the upper one of the sandbox that the template was
    /// built in, and what that had deleted is marked there as the overlay marks it.
    func mountTemplate(device: String, userNamespace: borrowing Descriptor) throws(SandboxError) {
        try step(.stageImage) { () throws(SystemCallError) in
            let layer = try Mount.layer(device)
            try Mount.setAttributes(of: layer, [], idMap: userNamespace.rawValue)
            try Mount.move(layer, to: "\(path)/template")
        }
    }

    /// The root: runtime layer over the template's, if there is one, over image; the disk on top.
    ///
    /// - Parameter owner: Who the overlay's own files belong to on a disk whose ids are shifted; the overlay keeps the
    ///   identity of whoever mounts it for all that it does there.
    func mountOverlay(owner: UserSlot? = nil, hasTemplate: Bool = false) throws(SandboxError) {
        let lower = hasTemplate ? "runtime:template/upper:image" : "runtime:image"
        try step(.stageOverlay) { () throws(SystemCallError) in
            guard let owner else { return try mountOverlayFilesystem(lower) }
            try FileIdentity.with(user: owner.base, group: owner.base, keepingCapabilities: true) {
                () throws(SystemCallError) in try mountOverlayFilesystem(lower)
            }
        }
    }

    private func mountOverlayFilesystem(_ lower: String) throws(SystemCallError) {
        // Relative paths, so that no host path shows in the sandbox's mountinfo.
        // Every feature that lets an attribute of the upper layer point elsewhere is off, said here because kernels
        // differ in their defaults.
        try Mount.mount(
            type: "overlay", at: "root", flags: [.noSUID, .noDevices],
            data:
                "lowerdir=\(lower),upperdir=disk/upper,workdir=disk/work,metacopy=off,redirect_dir=nofollow,index=off,xino=off"
        )
    }

    /// The sandbox's `/dev`: made by the host's root on a tmpfs of the host's, so that the sandbox can use the devices
    /// but add and remove none.
    ///
    /// - Parameter disk: A disk that is a tmpfs already, which then has it beside the upper layer: every further filesystem
    ///   makes the end of each memory cgroup of the machine longer. Nil for a filesystem of its own.
    func mountDevices(on disk: SharedDescriptor?) throws(SandboxError) {
        try step(.stageDevices) { () throws(SystemCallError) in
            let devices = try makeDevices(on: disk)
            let root = try Files.openDirectory(self.root)
            // Without following links: an image's `/dev` may be one.
            let target = try Files.open(
                "dev", [.path, .directory], resolve: [.beneath, .noSymlinks], at: root.rawValue)
            try Mount.move(devices, onto: target)
        }
    }

    /// The same beside the root, for CRIU, which moves it into the root itself, and cannot from beneath it.
    func mountDevicesBeside() throws(SandboxError) {
        try step(.stageDevices) { () throws(SystemCallError) in
            try Mount.move(try makeDevices(on: nil), to: devicesPath)
        }
    }

    private func makeDevices(on disk: SharedDescriptor?) throws(SystemCallError) -> Descriptor {
        guard let disk else {
            let devices = try Mount.make(
                type: "tmpfs", options: [("size", "64k"), ("nr_inodes", "64"), ("mode", "0755")],
                attributes: [.noSUID, .noExecute])
            try Stage.fillDevices(devices.rawValue)
            return devices
        }
        // Outside the upper layer, so that it is reached by this mount alone.
        try Files.makeDirectory("devices", mode: 0o755, at: disk.rawValue)
        let directory = try Files.open("devices", [.readOnly, .directory], at: disk.rawValue)
        try Stage.fillDevices(directory.rawValue)
        let devices = try Mount.openTree("\(path)/disk/devices", clone: true)
        try Mount.setAttributes(of: devices, [.noSUID, .noExecute], clearing: [.noDevices])
        return devices
    }

    private static func fillDevices(_ directory: CInt) throws(SystemCallError) {
        for (name, minor) in [("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)]
            as [(String, UInt32)]
        {
            try Files.makeCharacterDevice(name, mode: 0o666, major: 1, minor: minor, at: directory)
        }
        try Files.makeCharacterDevice("tty", mode: 0o666, major: 5, minor: 0, at: directory)
        for (name, target) in [
            ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
        ] {
            try Files.makeSymbolicLink(name, to: target, at: directory)
        }
        try Files.makeDirectory("pts", mode: 0o755, at: directory)
        try Files.makeDirectory("shm", mode: 0o755, at: directory)
    }

    /// Takes every mount of the sandbox out of this namespace; the sandbox's own copy stays.
    func clear() {
        // From the top down; one that was never made is no error.
        for name in Stage.mounts {
            while (try? Mount.unmount("\(path)/\(name)", detach: true)) != nil {}
        }
    }
}
