import Foundation
import LinuxKernel

/// A pipe whose read end is emptied by a thread, so that a program never waits for a test.
final class ReadingPipe: @unchecked Sendable {
    // Safe because `writer` is closed once, in `start`, before the thread begins, and `bytes` is behind the monitor.
    private let reader: SharedDescriptor
    private(set) var writer: CInt
    private let state = Monitor<(bytes: [UInt8], ended: Bool)>(([], false))

    init() throws {
        let pipe = try Pipe.make()
        writer = try Descriptor.duplicate(pipe.second.rawValue)
        reader = SharedDescriptor(Descriptor(owning: try Descriptor.duplicate(pipe.first.rawValue)))
    }

    /// Closes the write end here and reads until everybody has.
    func start(keeping limit: Int) {
        close(writer)
        writer = -1
        WorkerThread.start(name: "reader") { [reader, state] in
            var kept = 0
            while true {
                var chunk = [UInt8](repeating: 0, count: 65_536)
                let count = read(reader.rawValue, &chunk, chunk.count)
                if count <= 0 { break }
                if kept < limit { state.update { $0.bytes.append(contentsOf: chunk[..<count]) } }
                kept += count
            }
            state.update { $0.ended = true }
        }
    }

    /// What was read; waits at most two seconds for the end.
    func finish() -> [UInt8] {
        _ = state.wait(until: MonotonicClock.now + 2_000_000_000) { $0.ended ? true : nil }
        return state.read { $0.bytes }
    }
}
