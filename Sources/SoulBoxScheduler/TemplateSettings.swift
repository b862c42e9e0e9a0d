/// What the operator decides of builds, and what all have.
public struct TemplateSettings: Sendable {
    /// The index that pip installs from; empty is pip's own.
    public var pipIndex: String
    /// The host's certificate authorities: an image may lack one of the operator's.
    public var certificates = "/etc/ssl/certs/ca-certificates.crt"
    /// How long the steps of a build may take together, in seconds.
    public var timeoutSeconds = 600
    /// Memory of a build in bytes.
    public var memoryBytes: Int64 = 1 << 30
    /// Processor time of a build in thousandths of a core.
    public var cpuMillicores = 1000
    /// Processes and threads of a build.
    public var processes = 256
    /// The disk of a build in bytes; what is left on it becomes the template.
    public var diskBytes: Int64 = 4 << 30

    /// Settings with pip's index.
    public init(pipIndex: String) { self.pipIndex = pipIndex }
}
