internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// The executions that run or wait now, so that another connection can end one.
final class ExecutionTable: Sendable {
    /// A way to end one execution.
    final class Entry: Sendable {
        /// The account it belongs to.
        let account: String
        /// Happens once an end is asked for.
        let ended: Event
        private let asked = Mutex<TerminationReason?>(nil)
        private let program = Mutex<SharedProcess?>(nil)

        init(account: String) throws(SandboxError) {
            self.account = account
            ended = try step(.supervise) { () throws(SystemCallError) in try Event() }
        }

        /// The program that runs for it now; nil when none does.
        func run(_ process: SharedProcess?) { program.withLock { $0 = process } }

        /// Sends a signal to its program; false when none runs.
        func signal(_ number: Int32) -> Bool {
            guard let process = program.withLock({ $0 }), !process.hasExited else { return false }
            process.signal(number)
            return true
        }

        /// Why its end was asked for; nil while it was not.
        var reason: TerminationReason? { asked.withLock { $0 } }

        /// Asks for its end; the first reason stays, except that a cancellation counts more than any other.
        func end(_ reason: TerminationReason) {
            asked.withLock { if $0 == nil || reason == .cancelled { $0 = reason } }
            ended.signal()
        }
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// Adds an execution; nil when one of that name is here already: none runs twice.
    func add(_ execution: String, account: String) throws(SandboxError) -> Entry? {
        let entry = try Entry(account: account)
        return entries.withLock { entries in
            guard entries[execution] == nil else { return nil }
            entries[execution] = entry
            return entry
        }
    }

    /// The execution of that name, when it belongs to the account.
    func find(_ execution: String, account: String) -> Entry? {
        entries.withLock { entries in entries[execution].flatMap { $0.account == account ? $0 : nil } }
    }

    /// Removes an execution that has ended.
    func remove(_ execution: String) { _ = entries.withLock { $0.removeValue(forKey: execution) } }

    /// Ends all, as the service stops.
    func endAll(_ reason: TerminationReason) {
        for entry in entries.withLock({ Array($0.values) }) { entry.end(reason) }
    }

    /// How many there are.
    var count: Int { entries.withLock { $0.count } }
}
