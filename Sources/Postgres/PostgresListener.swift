internal import LinuxKernel

/// Waits for NOTIFY on a channel, on a connection of its own.
public final class PostgresListener {
    private let url: String
    private let channel: String
    private var connection: PostgresConnection?

    /// A listener on that channel; it connects when it first waits, and again whenever the connection breaks.
    public init(_ url: String, channel: String) {
        self.url = url
        self.channel = channel
    }

    /// Waits until the channel is notified or the time is over. True as well after a new connection: what was notified
    /// before it is unknown.
    public func wait(milliseconds: Int32) throws(PostgresError) -> Bool {
        guard let connection, !connection.isBroken else {
            let new = try PostgresConnection(url)
            try new.runScript("LISTEN " + channel)
            connection = new
            return true
        }
        var entries = [PollEntry(descriptor: connection.pollDescriptor, events: .input)]
        _ = try? Poll.wait(&entries, timeout: milliseconds)
        return connection.takeNotifications().contains(channel)
    }
}
