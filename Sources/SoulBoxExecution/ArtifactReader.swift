internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel

/// Reads the files that an execution left behind, within the limits of the call.
struct ArtifactReader {
    /// The files in the order in which the service named them.
    private(set) var artifacts: [Artifact] = []

    private var keptBytes: Int64 = 0

    /// The same files as they are listed.
    var entries: [ExecutionRecord.ArtifactEntry] {
        artifacts.map { .init(path: $0.path, size: $0.size, isStored: $0.contents != nil) }
    }

    /// Takes the files of one event.
    mutating func read(_ handles: [ArtifactHandle], limits: ExecuteCall.ArtifactLimits) {
        for handle in handles where artifacts.count < limits.count {
            var artifact = Artifact(path: handle.path, size: handle.size, contents: nil)
            // The service keeps to the limits; the memory at stake is this process's own.
            if let descriptor = handle.descriptor, handle.size <= limits.each, keptBytes + handle.size <= limits.total {
                artifact.contents = ArtifactReader.contents(descriptor, size: Int(handle.size))
                keptBytes += handle.size
            }
            artifacts.append(artifact)
        }
    }

    /// The first `size` bytes; nil when the file cannot be read to there.
    private static func contents(_ descriptor: SharedDescriptor, size: Int) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            while count < size {
                let got = pread(descriptor.rawValue, buffer.baseAddress.map { $0 + count }, size - count, off_t(count))
                if got < 0, errno == EINTR { continue }
                guard got > 0 else { break }
                count += got
            }
        }
        return bytes.count == size ? bytes : nil
    }
}
