import Foundation

@testable import SoulBoxMetrics

/// A directory of counters for one test.
final class TemporaryMetrics {
    let directory: MetricDirectory

    init() throws {
        let path = "/tmp/soulbox-metrics-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        directory = MetricDirectory(path)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory.path) }

    /// The names of the files of processes.
    var files: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? [])
            .filter { !$0.hasPrefix(".") && $0 != "retired" }.sorted()
    }

    /// Leaves a file as a process does that has died: nobody holds its lock.
    func leave(_ name: String, _ source: String) throws {
        let file = directory.path + "/" + name
        try FileManager.default.copyItem(atPath: directory.path + "/" + source, toPath: file)
    }
}
