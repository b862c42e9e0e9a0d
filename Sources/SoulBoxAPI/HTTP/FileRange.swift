public import LinuxKernel

/// A part of an open file, as the body of an answer: it is read while it is sent.
public struct FileRange: Sendable, Equatable {
    /// The open file.
    public let descriptor: SharedDescriptor
    /// Where the part begins.
    public let offset: Int64
    /// How many bytes it has.
    public let count: Int64

    /// A part of a file.
    public init(descriptor: SharedDescriptor, offset: Int64, count: Int64) {
        self.descriptor = descriptor
        self.offset = offset
        self.count = count
    }

    /// The same part of the same open file.
    public static func == (left: FileRange, right: FileRange) -> Bool {
        left.descriptor === right.descriptor && left.offset == right.offset && left.count == right.count
    }

    /// Reads the part in pieces of at most 64 KiB.
    ///
    /// - Throws: What `body` throws; `ENODATA` when the file has become shorter than the part.
    public func read(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        try withUnsafeTemporaryAllocation(byteCount: 65_536, alignment: 16) { buffer in
            var done: Int64 = 0
            while done < count {
                let wanted = min(Int64(buffer.count), count - done)
                let got = try withExtendedLifetime(descriptor) {
                    try Files.read(
                        from: descriptor.rawValue, at: offset + done,
                        into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(wanted)]))
                }
                guard got > 0 else { throw SystemCallError(call: "pread", errno: 61) }  // ENODATA
                try body(UnsafeRawBufferPointer(rebasing: buffer[..<got]))
                done += Int64(got)
            }
        }
    }
}
