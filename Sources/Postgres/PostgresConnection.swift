internal import CPostgres
internal import Glibc
internal import LinuxKernel

/// One connection to the server, for one thread at a time.
///
/// Waiting is poll(2) with a deadline: a server that is stopped, not only one that is gone, ends as an error.
///
/// Safe because the pool hands a connection to one thread at a time and takes it back before the next.
public final class PostgresConnection: @unchecked Sendable {
    private let connection: OpaquePointer
    private var prepared: [String: String] = [:]
    private let timeoutNanoseconds: UInt64

    /// Connects. `url` is what PQconnectdb takes; statements are ended after the timeout by the server, and a little
    /// later here.
    public init(_ url: String, connectSeconds: Int = 3, statementMilliseconds: Int = 10_000) throws(PostgresError) {
        timeoutNanoseconds = UInt64(statementMilliseconds + 1000) * 1_000_000
        let keywords: [String] = ["dbname", "connect_timeout", "application_name", "options", "client_encoding"]
        // Each statement is planned once for a connection: they are all short, and planning one costs more than it.
        let options =
            "-c statement_timeout=\(statementMilliseconds) -c timezone=UTC -c plan_cache_mode=force_generic_plan -c jit=off"
        let values = [url, String(connectSeconds), "soulbox", options, "UTF8"]
        let opened = PostgresConnection.withStrings(keywords) { keywords in
            PostgresConnection.withStrings(values) { values in PQconnectdbParams(keywords, values, 1) }
        }
        guard let opened else { throw PostgresError(.connection, "out of memory") }
        connection = opened
        guard PQstatus(opened) == CONNECTION_OK else {
            // The message names hosts and users only; the password is never in it.
            let message = String(cString: PQerrorMessage(opened)).split(separator: "\n").first.map(String.init) ?? ""
            throw PostgresError(.connection, message)
        }
        // What the server says beside errors is not for the log.
        PQsetNoticeProcessor(opened, { _, _ in }, nil)
        PQsetnonblocking(opened, 1)
    }

    deinit { PQfinish(connection) }

    /// Whether it can still be used; notices a server that has closed it in the meantime.
    public var isUsable: Bool {
        var entries = [PollEntry(descriptor: PQsocket(connection), events: .input)]
        // A server has nothing to say to an idle connection but that it ends, in a message that comes before the end itself.
        if let found = try? Poll.wait(&entries, timeout: 0), found > 0 { return false }
        return isInOrder
    }

    /// Whether the last statement left it fit for another; what the server does meanwhile shows when it is used again.
    var isInOrder: Bool { PQstatus(connection) == CONNECTION_OK && PQtransactionStatus(connection) == PQTRANS_IDLE }

    /// What to poll for notifications.
    var pollDescriptor: CInt { PQsocket(connection) }

    /// Runs a statement, prepared once for each text.
    @discardableResult
    public func run(_ statement: String, _ parameters: [PostgresParameter] = []) throws(PostgresError) -> PostgresResult
    {
        let name = try prepare(statement, count: parameters.count)
        let wires = parameters.map(\.wire)
        let lengths = wires.map { CInt($0.bytes?.count ?? 0) }
        let formats = wires.map { CInt($0.isBinary ? 1 : 0) }
        let sent = PostgresConnection.withBytes(wires.map(\.bytes)) { values in
            PQsendQueryPrepared(connection, name, CInt(parameters.count), values, lengths, formats, 1)
        }
        guard sent == 1 else { throw failure() }
        return try collect()
    }

    /// Runs statements that have no parameters, one after the other, as psql would.
    public func runScript(_ script: String) throws(PostgresError) {
        guard PQsendQuery(connection, script) == 1 else { throw failure() }
        _ = try collect()
    }

    /// Runs `body` in a transaction: all of it or nothing, and on disk when this returns.
    ///
    /// - Parameter sharesFlush: Whether its locks go before the log is on disk, for one that holds what many wait for: they need
    ///   not wait for the disk one after the other, since one flush serves all that have committed.
    @discardableResult
    public func transaction<Value>(
        sharesFlush: Bool = false, _ body: (PostgresConnection) throws -> Value
    ) throws -> Value {
        try runScript(sharesFlush ? "BEGIN; SET LOCAL synchronous_commit TO off" : "BEGIN")
        do {
            let value = try body(self)
            // A message of its own that nobody reads: its commit waits for the disk, and so for all that was written before.
            try runScript(sharesFlush ? "COMMIT; SELECT pg_logical_emit_message(true, 'soulbox', '')" : "COMMIT")
            return value
        } catch {
            try? runScript("ROLLBACK")
            throw error
        }
    }

    /// The channels that were notified since the last call.
    func takeNotifications() -> [String] {
        PQconsumeInput(connection)
        var channels: [String] = []
        while let notification = PQnotifies(connection) {
            channels.append(String(cString: notification.pointee.relname))
            PQfreemem(notification)
        }
        return channels
    }

    /// Whether the connection has broken.
    var isBroken: Bool { PQstatus(connection) != CONNECTION_OK }

    private func prepare(_ statement: String, count: Int) throws(PostgresError) -> String {
        if let known = prepared[statement] { return known }
        let name = "s\(prepared.count)"
        guard PQsendPrepare(connection, name, statement, CInt(count), nil) == 1 else { throw failure() }
        _ = try collect()
        prepared[statement] = name
        return name
    }

    /// Waits for the end of what was sent, and gives the last answer.
    private func collect() throws(PostgresError) -> PostgresResult {
        let deadline = MonotonicClock.now + timeoutNanoseconds
        var last: PostgresResult?
        var problem: PostgresError?
        while true {
            while PQflush(connection) == 1 || PQisBusy(connection) == 1 {
                try waitForSocket(until: deadline)
                guard PQconsumeInput(connection) == 1 else { throw failure() }
            }
            guard let pointer = PQgetResult(connection) else { break }
            let result = PostgresResult(owning: pointer)
            switch PQresultStatus(pointer) {
            case PGRES_TUPLES_OK, PGRES_COMMAND_OK, PGRES_EMPTY_QUERY: last = result
            default: problem = problem ?? PostgresConnection.error(of: pointer)
            }
        }
        if let problem { throw problem }
        guard let last else { throw failure() }
        return last
    }

    private func waitForSocket(until deadline: UInt64) throws(PostgresError) {
        let now = MonotonicClock.now
        var entries = [PollEntry(descriptor: PQsocket(connection), events: [.input])]
        if PQflush(connection) == 1 { entries[0].events.insert(.output) }
        let left = deadline > now ? CInt((deadline - now) / 1_000_000) + 1 : 0
        guard let found = try? Poll.wait(&entries, timeout: left), found > 0 else {
            throw PostgresError(.timeout, "no answer in time")
        }
    }

    private func failure() -> PostgresError { PostgresError(.connection, "the connection broke") }

    private static func error(of result: OpaquePointer) -> PostgresError {
        func field(_ code: Character) -> String {
            guard let ascii = code.asciiValue, let text = PQresultErrorField(result, CInt(ascii)) else { return "" }
            return String(cString: text)
        }
        let state = field("C")
        switch state {
        case "57014": return PostgresError(.timeout, sqlState: state, "the statement took too long")
        // Class 08, and the server's own end: shutdown, crash, start-up.
        case "57P01", "57P02", "57P03", "":
            return PostgresError(.connection, sqlState: state, "the server is going or coming")
        case let state where state.hasPrefix("08"):
            return PostgresError(.connection, sqlState: state, "the connection broke")
        // The primary message of these classes names tables, columns and constraints; values are in the detail. That of
        // others, as of a malformed number, holds the value itself.
        case let state where ["23", "42", "53"].contains(state.prefix(2)):
            return PostgresError(.statement, sqlState: state, field("M"))
        default:
            return PostgresError(
                .statement, sqlState: state, "the server refused the statement", serverMessage: field("M"))
        }
    }

    private static func withStrings<Result>(
        _ strings: [String], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let copies = strings.map { strdup($0) }
        defer { copies.forEach { free($0) } }
        let pointers = copies.map { UnsafePointer($0) } + [nil]
        return pointers.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { fatalError("an array without elements") }
            return body(base)
        }
    }

    /// The bytes of each value at an address of its own, as long as `body` runs.
    private static func withBytes<Result>(
        _ values: [[UInt8]?], _ body: (UnsafePointer<UnsafePointer<CChar>?>) -> Result
    ) -> Result {
        let copies = values.map { value -> UnsafeMutablePointer<UInt8>? in
            guard let value else { return nil }
            // An empty value is not null: it needs an address too.
            let copy = UnsafeMutablePointer<UInt8>.allocate(capacity: max(1, value.count))
            copy.initialize(from: value, count: value.count)
            return copy
        }
        defer { copies.forEach { $0?.deallocate() } }
        let pointers = copies.map { copy in
            copy.map { UnsafePointer(UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
        }
        return (pointers + [nil]).withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { fatalError("an array without elements") }
            return body(base)
        }
    }
}
