/// A piece of what an execution printed, with its place among all pieces.
public struct OutputPiece: Sendable, Equatable {
    /// Where a program prints to.
    public enum Stream: String, Sendable {
        case stdout, stderr
    }

    /// Its number: 1 for the first piece of an execution, one more for each that follows, whatever their streams.
    public let sequence: Int64

    /// Where it was printed to.
    public let stream: Stream

    /// What was printed. Whole characters, where the program printed UTF-8.
    public let bytes: [UInt8]

    /// Makes a piece.
    public init(sequence: Int64, stream: Stream, bytes: [UInt8]) {
        self.sequence = sequence
        self.stream = stream
        self.bytes = bytes
    }
}
