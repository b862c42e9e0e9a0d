/// Two descriptors that belong together: for a pipe, `first` is the read end and `second` the write end.
public struct DescriptorPair: ~Copyable, Sendable {
    /// The first.
    public var first: Descriptor
    /// The second.
    public var second: Descriptor

    /// Makes a pair.
    public init(first: consuming Descriptor, second: consuming Descriptor) {
        self.first = first
        self.second = second
    }

    /// Closes the first and gives the second.
    public consuming func closeFirst() -> Descriptor { second }

    /// Closes the second and gives the first.
    public consuming func closeSecond() -> Descriptor { first }

    /// Both, each fit for several owners.
    public consuming func shared() -> (first: SharedDescriptor, second: SharedDescriptor) {
        (SharedDescriptor(first), SharedDescriptor(second))
    }
}
