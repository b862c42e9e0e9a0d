internal import Glibc
internal import LinuxKernel

/// Connections that threads share: each has one while it uses it, and waits a bounded time for it.
public final class PostgresPool: Sendable {
    private struct State: Sendable {
        var idle: [PostgresConnection] = []
        var open = 0
    }

    private let url: String
    /// How many connections there may be.
    public let size: Int
    private let waitNanoseconds: UInt64
    private let statementMilliseconds: Int
    private let state = Monitor(State())

    /// A pool of at most `size` connections, made when they are needed.
    ///
    /// - Parameters:
    ///   - waitMilliseconds: How long a thread waits for a connection.
    ///   - statementMilliseconds: How long a statement may take.
    public init(_ url: String, size: Int, waitMilliseconds: Int = 2000, statementMilliseconds: Int = 10_000) {
        self.url = url
        self.size = max(1, size)
        waitNanoseconds = UInt64(waitMilliseconds) * 1_000_000
        self.statementMilliseconds = statementMilliseconds
    }

    /// Runs `body` with a connection. One that breaks is thrown away; the next call makes a new one.
    ///
    /// A body that the server ended for another transaction's sake (deadlock, serialization failure) is run again, twice
    /// at most: the server has undone whatever it did.
    public func withConnection<Value>(_ body: (PostgresConnection) throws -> Value) throws -> Value {
        for attempt in 0..<2 {
            do {
                return try attemptWithConnection(body)
            } catch let error as PostgresError where ["40001", "40P01"].contains(error.sqlState) {
                // Not all at the same time again.
                usleep(UInt32.random(in: 1000...20_000) << UInt32(attempt))
            }
        }
        return try attemptWithConnection(body)
    }

    private func attemptWithConnection<Value>(_ body: (PostgresConnection) throws -> Value) throws -> Value {
        let connection = try take()
        do {
            let value = try body(connection)
            giveBack(connection)
            return value
        } catch {
            // After a timeout the answer may still be on its way: the connection is of no more use either.
            giveBack((error as? PostgresError).map { $0.kind == .timeout } == true ? nil : connection)
            throw error
        }
    }

    /// Whether the database answers and takes changes; throws what it says otherwise.
    ///
    /// A server that has become a standby, or was set read-only, answers every SELECT and refuses the rest.
    public func check() throws {
        try withConnection { connection in
            let result = try connection.run("SELECT current_setting('transaction_read_only')::bool AS read_only")
            if try result.first?.bool("read_only") == true {
                throw PostgresError(.statement, "the database is read-only")
            }
        }
    }

    /// How many connections are open, and how many of them are in use.
    public var usage: (open: Int, used: Int) { state.read { ($0.open, $0.open - $0.idle.count) } }

    private func take() throws(PostgresError) -> PostgresConnection {
        let deadline = MonotonicClock.now + waitNanoseconds
        while true {
            // A connection, or the right to make one.
            let turn = state.wait(until: deadline) { state -> PostgresConnection?? in
                if let connection = state.idle.popLast() { return .some(connection) }
                guard state.open < size else { return nil }
                state.open += 1
                return .some(nil)
            }
            guard let turn else { throw PostgresError(.poolExhausted, "no connection within the waiting time") }
            guard let idle = turn else { break }
            if idle.isUsable { return idle }
            state.updateForOne { $0.open -= 1 }
        }
        do {
            return try PostgresConnection(url, statementMilliseconds: statementMilliseconds)
        } catch {
            state.updateForOne { $0.open -= 1 }
            throw error
        }
    }

    private func giveBack(_ connection: PostgresConnection?) {
        state.updateForOne { state in
            // Whoever takes it looks whether the server is still there.
            if let connection, connection.isInOrder {
                state.idle.append(connection)
            } else {
                state.open -= 1
            }
        }
    }
}
