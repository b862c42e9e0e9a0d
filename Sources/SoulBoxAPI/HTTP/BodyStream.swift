/// A body that comes into being while it is sent.
public final class BodyStream: Sendable, Equatable {
    /// Sends a piece to the client at once; throws when the client has gone.
    public typealias Send = ([UInt8]) throws -> Void

    private let produce: @Sendable (Send) throws -> Void

    /// A body that `produce` makes; it ends when that returns.
    public init(_ produce: @escaping @Sendable (Send) throws -> Void) { self.produce = produce }

    /// Makes the body.
    public func write(_ send: Send) throws { try produce(send) }

    /// The same body.
    public static func == (left: BodyStream, right: BodyStream) -> Bool { left === right }
}
