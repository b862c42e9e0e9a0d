internal import LinuxKernel

/// The filesystem of a running sandbox's disk, reached from outside.
struct SandboxDisk: ~Copyable {
    private let mount: Descriptor
    private let directory: Descriptor

    /// A second mount of the device is the same filesystem.
    init(of sandbox: Sandbox) throws(SandboxError) {
        guard let number = sandbox.loop else { throw SandboxError(.snapshot, "a sandbox without a disk") }
        let mount = try step(.snapshot) { () throws(SystemCallError) in
            try Mount.make(
                type: "ext4", options: [("source", LoopDevice.path(number)), ("errors", "remount-ro")],
                switches: ["discard"], attributes: [.noSUID, .noDevices, .noAccessTimes])
        }
        let raw = mount.rawValue
        directory = try step(.snapshot) { () throws(SystemCallError) in
            try Files.open(".", [.readOnly, .directory], at: raw)
        }
        self.mount = mount
    }

    /// Runs `body` while nothing on it changes, and the file behind it has all of it.
    func frozen(_ body: () throws(SystemCallError) -> Void) throws(SystemCallError) {
        try Files.frozen(directory.rawValue, body)
    }

    /// Ends what an earlier run of this process may have left frozen.
    func thaw() { Files.thaw(directory.rawValue) }
}
