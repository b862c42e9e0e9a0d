/// A file descriptor with several owners; it closes when the last one goes away.
public final class SharedDescriptor: Sendable {
    private let descriptor: Descriptor

    /// Takes over a descriptor.
    public init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }

    /// The number.
    public var rawValue: CInt { descriptor.rawValue }
}
