/// What the kernel says of the whole machine.
public enum HostFigures {
    /// Processor time of all processors since the start of the machine, in clock ticks.
    public struct ProcessorTime: Sendable, Equatable {
        /// Spent working.
        public var busy: Double
        /// All of it.
        public var total: Double

        /// Percent of the time since `earlier` that was spent working; nil when none has passed.
        public func usage(since earlier: ProcessorTime) -> Double? {
            guard total > earlier.total else { return nil }
            return min(max((busy - earlier.busy) / (total - earlier.total) * 100, 0), 100)
        }

        /// No time at all: the usage since then is that since the start of the machine.
        public static let zero = ProcessorTime(busy: 0, total: 0)
    }

    /// The processors' time (proc_stat(5)); nil when it cannot be read.
    public static var processorTime: ProcessorTime? {
        guard let line = (try? Files.readString("/proc/stat"))?.split(separator: "\n").first else { return nil }
        let fields = line.split(separator: " ").dropFirst().compactMap { Double($0) }
        guard fields.count >= 8 else { return nil }
        // Guests' time is part of the first two.
        let total = fields.prefix(8).reduce(0, +)
        return ProcessorTime(busy: total - fields[3] - fields[4], total: total)
    }

    /// Percent of the memory that is not available (proc_meminfo(5)).
    public static var memoryUsage: Double? {
        guard let text = try? Files.readString("/proc/meminfo") else { return nil }
        func value(_ name: String) -> Double? {
            text.split(separator: "\n").first { $0.hasPrefix(name + ":") }?
                .split(separator: " ").dropFirst().first.flatMap { Double($0) }
        }
        guard let total = value("MemTotal"), let available = value("MemAvailable"), total > 0 else { return nil }
        return min(max((total - available) / total * 100, 0), 100)
    }

    /// Percent of the last ten seconds in which some task waited for `cpu`, `memory` or `io`
    /// (Documentation/accounting/psi.rst of the kernel); nil where the kernel does not measure it.
    public static func pressure(of resource: String) -> Double? {
        guard let text = try? Files.readString("/proc/pressure/\(resource)"),
            let line = text.split(separator: "\n").first(where: { $0.hasPrefix("some ") })
        else { return nil }
        return line.split(separator: " ").first { $0.hasPrefix("avg10=") }.flatMap { Double($0.dropFirst(6)) }
    }

    /// The space of the filesystem that a path lies on, which need not be readable.
    public static func space(at path: String) throws(SystemCallError) -> FilesystemSpace {
        let place = try Files.open(path, [.path])
        let space = Result { () throws(SystemCallError) in try Files.space(of: place.rawValue) }
        return try withExtendedLifetime(place) { space }.get()
    }

    /// The machine's name (uname(2), nodename).
    public static var name: String {
        ((try? Files.readString("/proc/sys/kernel/hostname")) ?? "localhost").split(separator: "\n").first.map(
            String.init)
            ?? "localhost"
    }
}
