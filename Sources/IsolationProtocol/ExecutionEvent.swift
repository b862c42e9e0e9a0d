public import LinuxKernel
public import SoulBoxModel

/// What the service tells of a running `Execute`.
public enum ExecutionEvent: Sendable {
    /// It waits for its turn, behind that many others.
    case queued(position: Int)
    /// Its first stage begins. With streams, its output is read there instead of from the pipes of the call: the reading
    /// ends of its output and its errors, and of a cell's results.
    case started(streams: [SharedDescriptor])
    /// The compile stage has ended.
    case compiled(StageOutcome)
    /// Files that it made or changed.
    case artifacts([ArtifactHandle])
    /// It has ended; the last event.
    case finished(ExecutionOutcome)
    /// It could not be carried out; the last event.
    case failed(IsolationError)

    /// Whether no event follows.
    public var isLast: Bool {
        switch self {
        case .finished, .failed: true
        default: false
        }
    }
}

/// A file that an execution made or changed, with its bytes behind a descriptor.
public struct ArtifactHandle: Sendable {
    /// Path below `/workspace`.
    public let path: String
    /// Size in bytes.
    public let size: Int64
    /// Open for reading; nil when the file is larger than the limits of the call.
    public let descriptor: SharedDescriptor?

    /// Makes a handle.
    public init(path: String, size: Int64, descriptor: SharedDescriptor?) {
        self.path = path
        self.size = size
        self.descriptor = descriptor
    }
}
