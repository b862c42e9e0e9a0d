import Foundation
import Glibc
import LinuxKernel

/// A pipe whose read end is emptied by a thread, so that a program never waits for a test.
final class ReadingPipe: @unchecked Sendable {
    // Safe because `writer` is closed once, in `start`, before the thread begins, and `bytes` is behind the monitor.
    private let reader: SharedDescriptor
    private(set) var writer: CInt
    private let limit: Int
    private let state = Monitor<(bytes: [UInt8], others: Int, ended: Int)>(([], 0, 0))

    /// A pipe of which the first bytes are kept, and everything is read.
    init(keeping limit: Int) throws {
        self.limit = limit
        let pipe = try Pipe.make()
        writer = try Descriptor.duplicate(pipe.second.rawValue)
        reader = SharedDescriptor(Descriptor(owning: try Descriptor.duplicate(pipe.first.rawValue)))
    }

    /// Closes the write end here and reads until everybody has.
    func start() {
        close(writer)
        writer = -1
        read(from: reader)
    }

    /// Reads there too: what was started before it was called for writes into a pipe of its own.
    func start(with other: SharedDescriptor) {
        state.update { $0.others += 1 }
        read(from: other)
    }

    private func read(from reader: SharedDescriptor) {
        WorkerThread.start(name: "reader") { [limit, state] in
            var kept = 0
            while true {
                var chunk = [UInt8](repeating: 0, count: 65_536)
                let count = Glibc.read(reader.rawValue, &chunk, chunk.count)
                if count < 0, errno == EAGAIN {
                    var entries = [PollEntry(descriptor: reader.rawValue, events: .input)]
                    _ = try? Poll.wait(&entries, timeout: 10_000)
                    continue
                }
                if count <= 0 { break }
                if kept < limit { state.update { $0.bytes.append(contentsOf: chunk[..<count]) } }
                kept += count
            }
            state.update { $0.ended += 1 }
        }
    }

    /// What was read; waits at most two seconds for the end.
    func finish() -> [UInt8] {
        _ = state.wait(until: MonotonicClock.now + 2_000_000_000) { $0.ended > $0.others ? true : nil }
        return state.read { $0.bytes }
    }
}
