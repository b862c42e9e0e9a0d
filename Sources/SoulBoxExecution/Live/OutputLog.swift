internal import SoulBoxModel

/// The last pieces that an execution printed, as many as fit: the oldest make room.
struct OutputLog: Sendable {
    /// The most bytes of one piece.
    static let pieceBytes = 32 << 10

    /// What a piece takes beside its bytes, so that many small ones are bounded too.
    static let overhead = 64

    private struct Entry {
        let piece: OutputPiece
        /// The cost of all pieces before it.
        let offset: Int
    }

    private let capacity: Int
    private var entries: [Entry] = []
    /// The index of the oldest entry that is kept; those before are cleared away now and then.
    private var head = 0
    /// The cost of all pieces so far.
    private var total = 0
    private var incomplete: [OutputPiece.Stream: [UInt8]] = [:]

    /// The number that the next piece gets.
    private(set) var next: Int64 = 1

    /// A log that keeps that many bytes.
    init(capacity: Int) { self.capacity = capacity }

    /// The number of the oldest piece that is kept.
    var first: Int64 { next - Int64(entries.count - head) }

    /// Adds what was read of a stream. The beginning of a character waits for its rest.
    mutating func append(_ bytes: UnsafeRawBufferPointer, of stream: OutputPiece.Stream) {
        var left = UnsafeRawBufferPointer(rebasing: bytes[...])
        while !left.isEmpty {
            let waiting = incomplete.removeValue(forKey: stream) ?? []
            let count = min(left.count, OutputLog.pieceBytes)
            var piece = waiting + left[..<count]
            left = UnsafeRawBufferPointer(rebasing: left[count...])
            let tail = IncompleteCharacter.count(atEndOf: piece)
            if tail > 0 {
                incomplete[stream] = Array(piece.suffix(tail))
                piece.removeLast(tail)
            }
            if !piece.isEmpty { add(piece, stream) }
        }
    }

    /// Adds what waited for a rest that does not come.
    mutating func finish() {
        for stream in [OutputPiece.Stream.stdout, .stderr] {
            if let waiting = incomplete.removeValue(forKey: stream) { add(waiting, stream) }
        }
    }

    /// The piece of that number; nil when it is gone, or not there yet.
    func piece(_ sequence: Int64) -> OutputPiece? {
        guard sequence >= first, sequence < next else { return nil }
        return entries[head + Int(sequence - first)].piece
    }

    /// What the pieces from that number on cost, gone ones left out.
    func cost(from sequence: Int64) -> Int {
        guard sequence < next else { return 0 }
        guard sequence >= first else { return total - (head < entries.count ? entries[head].offset : total) }
        return total - entries[head + Int(sequence - first)].offset
    }

    private mutating func add(_ bytes: [UInt8], _ stream: OutputPiece.Stream) {
        entries.append(Entry(piece: OutputPiece(sequence: next, stream: stream, bytes: bytes), offset: total))
        total += bytes.count + OutputLog.overhead
        next += 1
        while head < entries.count - 1, total - entries[head].offset > capacity { head += 1 }
        if head > 64, head > entries.count / 2 {
            entries.removeFirst(head)
            head = 0
        }
    }
}
