internal import IsolationProtocol
internal import LinuxKernel
internal import NIOCore
internal import Synchronization

/// What is known of the sandboxes: their policies, what was admitted for their names, and what is open for them now.
///
/// Whatever belongs to a policy goes with it: when it changes, its connections are closed and its admissions forgotten.
final class PolicyTable: Sendable {
    /// A place that may be taken by so many at once.
    enum Limits {
        static let questionsInFlight = 64
        static let questionsPerSecond = 100.0
        static let questionBurst = 200.0
        static let allQuestions = 2048
        static let connections = 256
        static let allConnections = 4096
        static let admissions = 8192
    }

    /// A name's address.
    private struct Admission: Hashable {
        let name: String
        let address: String
    }

    private struct Entry {
        var policy: EgressPolicy
        var admitted: [Admission: UInt64] = [:]
        var connections: [ObjectIdentifier: any Channel] = [:]
        var questions = 0
        var tokens = Limits.questionBurst
        var tokensAt = MonotonicClock.now
    }

    private struct State {
        /// By address.
        var entries: [String: Entry] = [:]
        var addresses: [String: String] = [:]
        var questions = 0
        var connections = 0
    }

    private let state = Mutex(State())

    init() {}

    /// Takes over what the isolation service tells.
    func apply(_ update: EgressUpdate) {
        let closing = state.withLock { state -> [any Channel] in
            var closing: [any Channel] = []
            for policy in update.policies {
                if let address = state.addresses[policy.sandbox] {
                    guard state.entries[address]?.policy != policy else { continue }
                    closing += PolicyTable.remove(policy.sandbox, &state)
                }
                // An address that another sandbox had before.
                if let other = state.entries[policy.address]?.policy.sandbox {
                    closing += PolicyTable.remove(other, &state)
                }
                state.entries[policy.address] = Entry(policy: policy)
                state.addresses[policy.sandbox] = policy.address
            }
            for sandbox in update.removed { closing += PolicyTable.remove(sandbox, &state) }
            return closing
        }
        for channel in closing { channel.close(promise: nil) }
    }

    /// Forgets everything: without the isolation service nobody knows what is allowed.
    func clear() {
        let closing = state.withLock { state -> [any Channel] in
            var closing: [any Channel] = []
            for sandbox in Array(state.addresses.keys) { closing += PolicyTable.remove(sandbox, &state) }
            return closing
        }
        for channel in closing { channel.close(promise: nil) }
    }

    /// The policy of the sandbox with that address.
    func policy(at address: String) -> EgressPolicy? { state.withLock { $0.entries[address]?.policy } }

    /// Counts a question; false when there are too many. `endQuestion` follows when true.
    func beginQuestion(_ policy: EgressPolicy) -> Bool {
        state.withLock { state in
            guard var entry = state.entries[policy.address], entry.policy.generation == policy.generation else {
                return false
            }
            let now = MonotonicClock.now
            entry.tokens = min(
                Limits.questionBurst,
                entry.tokens + Double(now - entry.tokensAt) / 1e9 * Limits.questionsPerSecond)
            entry.tokensAt = now
            defer { state.entries[policy.address] = entry }
            guard entry.tokens >= 1, entry.questions < Limits.questionsInFlight, state.questions < Limits.allQuestions
            else { return false }
            entry.tokens -= 1
            entry.questions += 1
            state.questions += 1
            return true
        }
    }

    /// The question is answered.
    func endQuestion(_ policy: EgressPolicy) {
        state.withLock { state in
            state.questions -= 1
            if state.entries[policy.address]?.policy.generation == policy.generation {
                state.entries[policy.address]?.questions -= 1
            }
        }
    }

    /// Notes that the packet filter lets addresses of a name through, for so many seconds.
    func admit(_ name: String, _ addresses: [String], seconds: Int, for policy: EgressPolicy) {
        state.withLock { state in
            guard var entry = state.entries[policy.address], entry.policy.generation == policy.generation else {
                return
            }
            let now = MonotonicClock.now
            if entry.admitted.count + addresses.count > Limits.admissions {
                entry.admitted = entry.admitted.filter { $0.value > now }
            }
            for address in addresses where entry.admitted.count < Limits.admissions {
                entry.admitted[Admission(name: name, address: address)] = now + UInt64(seconds) * 1_000_000_000
            }
            state.entries[policy.address] = entry
        }
    }

    /// Whether an address was found for exactly that name.
    func isAdmitted(_ name: String, _ address: String, for policy: EgressPolicy) -> Bool {
        state.withLock { state in
            guard let entry = state.entries[policy.address], entry.policy.generation == policy.generation,
                let end = entry.admitted[Admission(name: name, address: address)]
            else { return false }
            return end > MonotonicClock.now
        }
    }

    /// Ties a connection to a policy; false when there are too many, or the policy is no longer the one in force.
    func open(_ channel: any Channel, for policy: EgressPolicy) -> Bool {
        state.withLock { state in
            guard let entry = state.entries[policy.address], entry.policy.generation == policy.generation,
                entry.connections.count < Limits.connections, state.connections < Limits.allConnections
            else { return false }
            state.entries[policy.address]?.connections[ObjectIdentifier(channel)] = channel
            state.connections += 1
            return true
        }
    }

    /// The connection is over.
    func close(_ channel: any Channel, for policy: EgressPolicy) {
        state.withLock { state in
            if state.entries[policy.address]?.connections.removeValue(forKey: ObjectIdentifier(channel)) != nil {
                state.connections -= 1
            }
        }
    }

    private static func remove(_ sandbox: String, _ state: inout State) -> [any Channel] {
        guard let address = state.addresses.removeValue(forKey: sandbox),
            let entry = state.entries.removeValue(forKey: address)
        else { return [] }
        state.connections -= entry.connections.count
        return Array(entry.connections.values)
    }
}
