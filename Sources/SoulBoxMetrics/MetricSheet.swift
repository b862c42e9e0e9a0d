internal import LinuxKernel
internal import Synchronization

/// The figures of one process, in a file that other processes read and that outlives it.
///
/// Counting is a relaxed atomic addition in mapped memory. The file describes itself: a header, then records of 192 bytes
/// with a number and what it is. Whoever reads takes the first `count` of them, which never change but for their numbers.
///
/// A process holds a lock on its file as long as it lives; see ``MetricDirectory``.
public final class MetricSheet: Sendable {
    static let stride = 192
    /// The first word of the file, with the version of its form.
    static let magic: UInt64 = 0x3154_454d_5842_4c53
    /// Where the parts of a record begin: the number, the kind, the length of the text, the text.
    static let (kindOffset, lengthOffset, textOffset) = (8, 9, 10)

    private struct State {
        var used = 0
        var known: [MetricKey: Int] = [:]
    }

    private let memory: Memory
    private let capacity: Int
    private let state = Mutex(State())

    /// Where the numbers are.
    ///
    /// Safe because the address never changes, and what is there is only touched by atomic operations, or under the lock
    /// before anybody knows of it. The memory stays as long as the process: counters point into it.
    private struct Memory: @unchecked Sendable {
        let start: UnsafeMutableRawPointer
    }

    private init(_ memory: Memory, capacity: Int) {
        self.memory = memory
        self.capacity = capacity
    }

    /// Makes the file of this process in a directory.
    ///
    /// - Parameters:
    ///   - name: Tells processes apart, those that are gone too.
    ///   - capacity: How many numbers there is room for.
    public convenience init(in directory: MetricDirectory, name: String, capacity: Int = 4096) throws {
        let size = (capacity + 1) * MetricSheet.stride
        let mapping = try directory.withLock { () throws(SystemCallError) -> SharedMapping in
            let path = "\(directory.path)/\(name)"
            let lock = try FileLock.take(path, milliseconds: 0)
            // Room for all of it now: later a full filesystem would be a SIGBUS.
            try Files.reserve(lock.rawValue, count: size)
            let mapping = try SharedMapping(lock.rawValue, count: size, isWritable: true)
            mapping.start.storeBytes(of: MetricSheet.magic, as: UInt64.self)
            lock.keepForever()
            // On purpose for ever: counters do not hold on to it.
            _ = Unmanaged.passRetained(mapping)
            return mapping
        }
        self.init(Memory(start: mapping.start), capacity: capacity)
    }

    /// Figures that nobody else sees, for processes whose directory cannot be used.
    public static func unshared(capacity: Int = 4096) -> MetricSheet {
        let size = (capacity + 1) * stride
        let memory = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 64)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: size)
        return MetricSheet(Memory(start: memory), capacity: capacity)
    }

    /// The counter of a family with those labels; the same again for the same labels.
    public func counter(_ family: MetricFamily, _ labels: MetricLabels = .none) -> MetricCounter {
        MetricCounter(cell(at: register(family, [MetricKey(family: family.name, labels: labels.text)])))
    }

    /// The gauge of a family with those labels; the same again for the same labels.
    public func gauge(_ family: MetricFamily, _ labels: MetricLabels = .none) -> MetricCounter {
        counter(family, labels)
    }

    /// The histogram of a family with those labels; the same again for the same labels.
    public func histogram(_ family: MetricFamily, _ labels: MetricLabels = .none) -> MetricHistogram {
        let bounds = family.bounds
        let parts = bounds.map { "\($0)" } + ["+Inf", "sum"]
        let first = register(family, parts.map { MetricKey(family: family.name, labels: labels.text, part: $0) })
        return MetricHistogram(bounds: bounds, first: cell(at: first))
    }

    /// Notes what the next numbers are, which stand one after the other; gives the index of the first.
    private func register(_ family: MetricFamily, _ keys: [MetricKey]) -> Int {
        state.withLock { state in
            if let known = state.known[keys[0]] { return known }
            precondition(state.used + keys.count <= capacity, "the sheet has no room for \(family.name)")
            let first = state.used
            for (offset, key) in keys.enumerated() {
                let text = Array(key.text.utf8)
                precondition(text.count <= MetricKey.maximum, "\(family.name) has labels that are too long")
                let record = memory.start + (first + offset + 1) * MetricSheet.stride
                (record + MetricSheet.textOffset).copyMemory(from: text, byteCount: text.count)
                record.storeBytes(of: UInt8(text.count), toByteOffset: MetricSheet.lengthOffset, as: UInt8.self)
                record.storeBytes(
                    of: family.kind == .gauge ? 1 : 0, toByteOffset: MetricSheet.kindOffset, as: UInt8.self)
                state.known[key] = first + offset
            }
            state.used += keys.count
            // Readers see a record once it is whole.
            MetricSheet.word(memory.start + 8).pointee.store(UInt64(state.used), ordering: .releasing)
            return first
        }
    }

    private func cell(at index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        MetricSheet.word(memory.start + (index + 1) * MetricSheet.stride)
    }

    /// A word of the memory; all of them are aligned.
    static func word(_ address: UnsafeMutableRawPointer) -> UnsafeMutablePointer<Atomic<UInt64>> {
        address.assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}
