internal import LinuxKernel
internal import Synchronization

/// Reads the file of a process.
enum MetricReader {
    /// What it has counted; nothing when the file is of another form, or not whole.
    static func read(_ descriptor: CInt) -> MetricTotals {
        var totals = MetricTotals()
        guard let size = try? Files.status(of: descriptor).size, size >= Int64(MetricSheet.stride),
            let mapping = try? SharedMapping(descriptor, count: Int(size), isWritable: false),
            mapping.start.load(as: UInt64.self) == MetricSheet.magic
        else { return totals }
        let count = min(
            Int(clamping: MetricSheet.word(mapping.start + 8).pointee.load(ordering: .acquiring)),
            mapping.count / MetricSheet.stride - 1)
        for index in 0..<max(0, count) {
            let record = mapping.start + (index + 1) * MetricSheet.stride
            let length = Int(record.load(fromByteOffset: MetricSheet.lengthOffset, as: UInt8.self))
            guard length <= MetricKey.maximum else { continue }
            let text = UnsafeRawBufferPointer(start: record + MetricSheet.textOffset, count: length)
            guard let key = MetricKey(bytes: text) else { continue }
            let isGauge = record.load(fromByteOffset: MetricSheet.kindOffset, as: UInt8.self) == 1
            totals.add(key, MetricSheet.word(record).pointee.load(ordering: .relaxed), isGauge: isGauge)
        }
        return withExtendedLifetime(mapping) { totals }
    }
}
