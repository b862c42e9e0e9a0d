/// What is said over one WebSocket connection; for the connection's event loop.
protocol Conversation: AnyObject {
    /// The connection is open.
    func opened()
    /// A message has come.
    func received(_ bytes: [UInt8])
    /// There is room for more to be sent.
    func hasRoom()
    /// The connection is gone.
    func closed()
    /// Whether something runs that the client waits for.
    var isBusy: Bool { get }
}
