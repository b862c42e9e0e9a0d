internal import Glibc

/// Work in pieces that several threads take, each the next one.
public enum Pieces {
    /// More would take too much from the programs that run.
    private static let threadsAtMost = 4

    private struct State<Value: Sendable> {
        var next = 0
        var running: Int
        var fresh: [(index: Int, result: Result<Value, SystemCallError>)] = []
    }

    /// Does that many pieces and gives what each gave, in their order. After a failure none is begun any more.
    ///
    /// - Parameter done: Is told by the calling thread what a piece gave, as soon as it is there.
    /// - Throws: The first failure, when no thread is at work any more.
    public static func map<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) throws(SystemCallError) -> Value,
        done: (Value) -> Void = { _ in }
    ) throws(SystemCallError) -> [Value] {
        let threads = min(count, threadsAtMost, max(1, sysconf(CInt(_SC_NPROCESSORS_ONLN))))
        let state = Monitor(State<Value>(running: threads))
        for _ in 0..<threads {
            WorkerThread.start(name: "pieces") {
                while true {
                    let index = state.update { state -> Int? in
                        guard state.next < count else { return nil }
                        state.next += 1
                        return state.next - 1
                    }
                    guard let index else { break }
                    let result = Result { () throws(SystemCallError) in try body(index) }
                    state.update { state in
                        state.fresh.append((index, result))
                        if case .failure = result { state.next = count }
                    }
                }
                state.update { $0.running -= 1 }
            }
        }
        var found: [Value?] = Array(repeating: nil, count: count)
        var failure: SystemCallError?
        while true {
            let fresh = state.wait { state -> [(index: Int, result: Result<Value, SystemCallError>)]? in
                guard state.fresh.isEmpty else {
                    defer { state.fresh = [] }
                    return state.fresh
                }
                return state.running == 0 ? [] : nil
            }
            guard let fresh, !fresh.isEmpty else { break }
            for (index, result) in fresh {
                switch result {
                case .success(let value):
                    found[index] = value
                    done(value)
                case .failure(let error): failure = failure ?? error
                }
            }
        }
        if let failure { throw failure }
        return found.compactMap(\.self)
    }
}
