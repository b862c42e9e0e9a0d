internal import Glibc
internal import LinuxKernel
internal import SoulBoxModel

/// The read end of a pipe that a program writes to, and what is kept of it.
final class CapturedStream {
    /// What one turn reads at most, so that a flood on one stream does not starve the others.
    private static let turn = 1 << 20

    /// How long the rest of a line is waited for, in milliseconds.
    private static let lineWait: CInt = 5

    private let keptLimit: Int
    private var descriptor: SharedDescriptor?
    private var bytes: [UInt8] = []
    private let observe: ((UnsafeRawBufferPointer) -> Void)?
    private let joinsLines: Bool

    /// How many bytes were thrown away.
    private(set) var droppedBytes = 0

    /// Takes over the read end, on which reads do not wait.
    ///
    /// - Parameters:
    ///   - joinsLines: Whether a line that is not whole waits a moment for its rest before it is shown.
    ///   - observe: Is shown everything that is read, kept or not.
    init(
        _ descriptor: SharedDescriptor, keeping limit: Int, joinsLines: Bool = false,
        observe: ((UnsafeRawBufferPointer) -> Void)? = nil
    ) {
        self.descriptor = descriptor
        self.observe = observe
        self.joinsLines = joinsLines
        keptLimit = limit
    }

    /// What poll(2) watches; -1, which it ignores, once the other end is closed.
    var pollDescriptor: CInt { descriptor?.rawValue ?? -1 }

    /// The bytes kept.
    var output: ExecutionRecord.Output { .init(bytes: bytes, isTruncated: droppedBytes > 0) }

    /// Reads what has come, one turn at most.
    ///
    /// - Returns: Whether more may be waiting.
    @discardableResult
    func read(using buffer: UnsafeMutableRawBufferPointer) -> Bool {
        var taken = 0
        while let descriptor, taken < CapturedStream.turn {
            var count = Glibc.read(descriptor.rawValue, buffer.baseAddress, buffer.count)
            if count > 0 {
                if joinsLines { count += readRestOfLine(descriptor.rawValue, buffer, after: count) }
                taken += count
                let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<count])
                append(chunk)
                if let observe {
                    observe(chunk)
                    // One piece, then a look at whether whoever follows keeps up.
                    return true
                }
            } else if count < 0, errno == EINTR {
                continue
            } else {
                // Nothing there now, or the last writer has gone.
                if count == 0 || errno != EAGAIN { self.descriptor = nil }
                return false
            }
        }
        return descriptor != nil
    }

    /// Many a program writes a line and its end apart, as Python's `print` does where nothing is buffered: whoever follows
    /// gets them as one piece, when the end comes at once.
    private func readRestOfLine(
        _ descriptor: CInt, _ buffer: UnsafeMutableRawBufferPointer, after count: Int
    ) -> Int {
        guard count < buffer.count / 2, buffer[count - 1] != UInt8(ascii: "\n") else { return 0 }
        var entries = [PollEntry(descriptor: descriptor, events: .input)]
        guard let found = try? Poll.wait(&entries, timeout: CapturedStream.lineWait), found > 0 else { return 0 }
        // The end of the stream is found again by the next read.
        return max(0, Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count))
    }

    /// Reads what is left in the pipe after the program's end, without waiting for whoever may still hold it open.
    func drain(using buffer: UnsafeMutableRawBufferPointer) {
        // Bounded, so that a writer that is still there cannot keep this going; a pipe holds far less than these turns.
        var turns = 0
        while turns < 4, read(using: buffer) { turns += 1 }
        descriptor = nil
    }

    private func append(_ chunk: UnsafeRawBufferPointer) {
        let kept = min(chunk.count, max(0, keptLimit - bytes.count))
        bytes.append(contentsOf: chunk[..<kept])
        droppedBytes += chunk.count - kept
    }
}
