internal import LinuxKernel
internal import Synchronization

/// The devices of the layers of users' templates: one for each layer, read-only, shared by all its sandboxes.
///
/// A device and a mount of it are kept while sandboxes use them and for some time after, so that a template's executions
/// do not begin by reading the disk. Each sandbox has a mount of its own of the same filesystem: the kernel holds it, and its
/// pages, once. Running sandboxes keep the device through their mounts when this process ends.
final class LayerDevices: Sendable {
    /// How many layers stay open that nobody uses.
    private static let idleLimit = 8

    private struct Entry: Sendable {
        let number: Int32
        let device: SharedDescriptor
        let mount: SharedDescriptor
        var users = 0
        var usedAt: UInt64 = 0
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// A sandbox's use of a layer; it ends with this object.
    final class Lease: Sendable {
        /// The path of the device.
        let device: String
        private let layer: String
        private let devices: LayerDevices

        fileprivate init(_ number: Int32, _ layer: String, _ devices: LayerDevices) {
            device = LoopDevice.path(number)
            self.layer = layer
            self.devices = devices
        }

        deinit { devices.giveBack(layer) }
    }

    /// The device of a layer.
    func lease(_ layer: String) throws(SandboxError) -> Lease {
        if let number = take(layer) { return Lease(number, layer, self) }
        let opened = try step(.stageImage) { () throws(SystemCallError) in try LayerDevices.open(layer) }
        let number = entries.withLock { entries -> Int32 in
            // Of two that were opened at once the second goes.
            var entry = entries[layer] ?? opened
            entry.users += 1
            entries[layer] = entry
            return entry.number
        }
        return Lease(number, layer, self)
    }

    /// Closes the device of a layer that is to be removed; false when a sandbox uses it.
    func close(_ layer: String) -> Bool {
        let closed = entries.withLock { entries -> (isFree: Bool, entry: Entry?) in
            guard let entry = entries[layer] else { return (true, nil) }
            guard entry.users == 0 else { return (false, nil) }
            return (true, entries.removeValue(forKey: layer))
        }
        return closed.isFree
    }

    private func take(_ layer: String) -> Int32? {
        entries.withLock { entries in
            guard var entry = entries[layer] else { return nil }
            entry.users += 1
            entries[layer] = entry
            return entry.number
        }
    }

    private func giveBack(_ layer: String) {
        // Closed outside of the lock: the last descriptor of a device takes it apart.
        let dropped = entries.withLock { entries -> Entry? in
            guard var entry = entries[layer] else { return nil }
            entry.users -= 1
            entry.usedAt = MonotonicClock.now
            entries[layer] = entry
            let idle = entries.filter { $0.value.users == 0 }
            guard idle.count > LayerDevices.idleLimit,
                let oldest = idle.min(by: { $0.value.usedAt < $1.value.usedAt })
            else { return nil }
            return entries.removeValue(forKey: oldest.key)
        }
        _ = dropped
    }

    private static func open(_ layer: String) throws(SystemCallError) -> Entry {
        // Sandboxes that outlived an earlier run of this process have one.
        for number in LoopDevice.devices(of: layer) {
            guard let device = try? LoopDevice(sharing: number, of: layer) else { continue }
            return try entry(device)
        }
        // Opened for reading alone, the device is read-only too.
        let file = try Files.open(layer, .readOnly, resolve: .noSymlinks)
        return try entry(try LoopDevice(file: file))
    }

    private static func entry(_ device: consuming LoopDevice) throws(SystemCallError) -> Entry {
        let mount = SharedDescriptor(try Mount.layer(device.path))
        let number = device.number
        return Entry(number: number, device: device.share(), mount: mount)
    }
}

extension Mount {
    /// The filesystem of a template's layer, attached nowhere yet. All its mounts are of one filesystem in the kernel.
    static func layer(_ device: String) throws(SystemCallError) -> Descriptor {
        try make(
            type: "ext4", options: [("source", device)], switches: ["ro"],
            attributes: [.readOnly, .noSUID, .noDevices, .noAccessTimes])
    }
}
