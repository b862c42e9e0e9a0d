internal import LinuxKernel
internal import Synchronization

/// Programs that were compiled before, for the accounts that had them compiled.
///
/// They live in files without names (O_TMPFILE), so that nothing of them is left when the service ends, however it does.
/// What was used longest ago goes first, an account's own before another's.
final class CompileCache: Sendable {
    private static let accountBytes = 128 << 20
    private static let totalBytes = 1 << 30
    /// A program counts as at least this much: each holds a descriptor too.
    private static let leastBytes = 512 << 10

    private struct Entry {
        let program: CompiledProgram
        let account: String
        var usedAt: UInt64

        var bytes: Int { max(program.size + program.output.count, CompileCache.leastBytes) }
    }

    private struct State {
        var entries: [CompileKey: Entry] = [:]
        var hits = 0
        var misses = 0
    }

    private let directory: String
    private let state = Mutex(State())

    /// A cache whose files are on the filesystem of that directory.
    init(directory: String) { self.directory = directory }

    /// What was compiled for that key.
    func find(_ key: CompileKey) -> CompiledProgram? {
        state.withLock { state in
            guard let program = state.entries[key]?.program else {
                state.misses += 1
                return nil
            }
            state.entries[key]?.usedAt = MonotonicClock.now
            state.hits += 1
            return program
        }
    }

    /// Keeps what the compiler has made in a sandbox, when it can be kept.
    func keep(_ key: CompileKey, account: String, disk: SharedDescriptor, output: [UInt8]) {
        guard let file = try? Files.makeTemporary(in: directory),
            let program = CompiledProgram(of: disk, into: SharedDescriptor(file), output: output)
        else { return }
        state.withLock { state in
            state.entries[key] = Entry(program: program, account: account, usedAt: MonotonicClock.now)
            CompileCache.shrink(&state, to: CompileCache.accountBytes) { $0.account == account }
            CompileCache.shrink(&state, to: CompileCache.totalBytes) { _ in true }
        }
    }

    private static func shrink(_ state: inout State, to bytes: Int, _ belongs: (Entry) -> Bool) {
        let own = state.entries.filter { belongs($0.value) }
        var sum = own.values.reduce(0) { $0 + $1.bytes }
        guard sum > bytes else { return }
        for (key, entry) in own.sorted(by: { $0.value.usedAt < $1.value.usedAt }) where sum > bytes {
            state.entries[key] = nil
            sum -= entry.bytes
        }
    }

    /// How often something was found, and how often not.
    var counts: (hits: Int, misses: Int) { state.withLock { ($0.hits, $0.misses) } }
}
