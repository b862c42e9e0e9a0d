internal import Synchronization

/// One number of a process: counts up, or stands for how much there is of something now.
///
/// Safe because the memory lives as long as the process and is only touched by atomic operations.
public struct MetricCounter: @unchecked Sendable {
    private let cell: UnsafeMutablePointer<Atomic<UInt64>>

    init(_ cell: UnsafeMutablePointer<Atomic<UInt64>>) { self.cell = cell }

    /// Adds to it.
    public func add(_ amount: UInt64 = 1) { cell.pointee.wrappingAdd(amount, ordering: .relaxed) }

    /// Adds to a gauge, or takes away from it.
    public func move(by amount: Int) {
        cell.pointee.wrappingAdd(UInt64(bitPattern: Int64(amount)), ordering: .relaxed)
    }

    /// Sets a gauge.
    public func set(_ value: Int) { cell.pointee.store(UInt64(bitPattern: Int64(value)), ordering: .relaxed) }

    /// What this process has counted.
    public var value: UInt64 { cell.pointee.load(ordering: .relaxed) }
}
