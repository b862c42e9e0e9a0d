internal import Synchronization

/// Durations of one kind, counted by size.
///
/// Safe because the memory lives as long as the process and is only touched by atomic operations.
public struct MetricHistogram: @unchecked Sendable {
    private let bounds: [UInt64]
    private let first: UnsafeMutablePointer<Atomic<UInt64>>

    init(bounds: [Double], first: UnsafeMutablePointer<Atomic<UInt64>>) {
        self.bounds = bounds.map { UInt64($0 * 1_000_000_000) }
        self.first = first
    }

    /// Counts one.
    public func observe(nanoseconds: UInt64) {
        // Few of them, the small ones first: the usual case is found at once.
        var index = 0
        while index < bounds.count, nanoseconds > bounds[index] { index += 1 }
        cell(index).pointee.wrappingAdd(1, ordering: .relaxed)
        cell(bounds.count + 1).pointee.wrappingAdd(nanoseconds, ordering: .relaxed)
    }

    /// Counts one.
    public func observe(microseconds: Int64) { observe(nanoseconds: UInt64(max(0, microseconds)) * 1000) }

    private func cell(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        MetricSheet.word(UnsafeMutableRawPointer(first) + index * MetricSheet.stride)
    }
}
