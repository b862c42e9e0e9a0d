internal import CLinux
internal import Glibc

/// A file as a block device (loop(4)), until the last user of the device is gone.
public struct LoopDevice: ~Copyable {
    /// The open device; as long as it is open, the device stays.
    public let descriptor: Descriptor

    /// The number in its name.
    public let number: Int32

    /// The path of the device.
    public var path: String { LoopDevice.path(number) }

    /// Binds a free device to an open file, which stays readable and writable.
    public init(file: borrowing Descriptor) throws(SystemCallError) {
        let raw = file.rawValue
        var number: CInt = -1
        descriptor = Descriptor(owning: try check("LOOP_CONFIGURE") { soulbox_loop_attach(raw, &number) })
        self.number = number
    }

    /// Opens a device that stands for a file already; it stays as long as this is open.
    public init(sharing number: Int32, of path: String) throws(SystemCallError) {
        let opened = try Files.open(LoopDevice.path(number), .readOnly)
        // Held open it cannot come to stand for another file: asked now, the answer lasts.
        guard LoopDevice.file(behind: number) == path else {
            throw SystemCallError(call: "LOOP_GET_STATUS", errno: ENXIO)
        }
        descriptor = opened
        self.number = number
    }

    /// The open device, for several owners.
    public consuming func share() -> SharedDescriptor { SharedDescriptor(descriptor) }

    /// The path of the device of that number.
    public static func path(_ number: Int32) -> String { "/dev/loop\(number)" }

    /// The file behind the device of that number; nil when there is none.
    public static func file(behind number: Int32) -> String? {
        guard let text = try? Files.readString("/sys/block/loop\(number)/loop/backing_file") else { return nil }
        return text.last == "\n" ? String(text.dropLast()) : text
    }

    /// Which devices stand for a file at this moment.
    public static func devices(of path: String) -> [Int32] {
        ((try? Files.list("/sys/block")) ?? []).compactMap { name in
            guard name.hasPrefix("loop"), let number = Int32(name.dropFirst(4)), file(behind: number) == path else {
                return nil
            }
            return number
        }
    }

    /// Makes the device of that number as large as its file has become.
    public static func resize(_ number: Int32) throws(SystemCallError) {
        let device = try Files.open(path(number), .readWrite)
        let raw = device.rawValue
        try check("LOOP_SET_CAPACITY") { soulbox_loop_resize(raw) }
    }
}
