internal import CFastCGI
internal import Glibc
internal import LinuxKernel
internal import Synchronization

/// A FastCGI responder: a fixed number of threads that accept requests from one listening socket.
///
/// The socket comes as descriptor 0 (FastCGI specification 1.0, section 2.2). Every thread serves one connection at a
/// time, so the web server must keep fewer idle connections than there are threads.
public final class FastCGIServer: Sendable {
    /// Answers one request; what it returns does not matter, what it writes does.
    public typealias Handler = @Sendable (FastCGIRequest, FastCGIResponse) -> Void

    private struct State {
        var threads: [Int: AcceptThread] = [:]
        var failure: CInt?
    }

    /// One thread, as `drain` sees it. Without a lock: 64 of them would wait for each other at every request.
    ///
    /// Safe because `thread` never changes, and is signalled only while its entry stands in the table.
    private final class AcceptThread: @unchecked Sendable {
        let thread = pthread_self()
        let isBusy = Atomic(false)
    }

    private let listener: CInt
    private let handler: Handler
    private let state = Mutex(State())
    private let isDraining = Atomic(false)

    /// Initialises libfcgi. Nothing is accepted before `start(threads:)`.
    ///
    /// - Throws: `initialisationFailed`.
    public init(listener: CInt = 0, handler: @escaping Handler) throws(FastCGIError) {
        self.listener = listener
        self.handler = handler
        let result = FCGX_Init()
        guard result == 0 else { throw .initialisationFailed(result) }
        // libfcgi's own handler of SIGUSR1 makes every later read of the whole process fail, also that of a body which is
        // just coming in. An empty one only wakes the thread that it is sent to.
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(SIGUSR1, &action, nil)
    }

    /// Starts the threads; they accept until `drain(timeoutMilliseconds:)`.
    public func start(threads count: Int) {
        for number in 0..<count {
            WorkerThread.start(name: "fastcgi-\(number)", stackSize: 1 << 20) { [self] in serve(number) }
        }
    }

    /// How many threads handle a request now.
    public var busyThreads: Int {
        state.withLock { state in state.threads.values.count { $0.isBusy.load(ordering: .relaxed) } }
    }

    /// Why accepting ended for good, as an errno; nil while all is well.
    public var failure: CInt? { state.withLock { $0.failure } }

    /// Stops accepting and waits for the requests that are being handled.
    ///
    /// - Returns: False when some were still being handled at the end of that time.
    public func drain(timeoutMilliseconds: Int) -> Bool {
        let deadline = MonotonicClock.now + UInt64(timeoutMilliseconds) * 1_000_000
        while true {
            isDraining.store(true, ordering: .sequentiallyConsistent)
            let remaining = state.withLock { state in
                // Idle threads sleep in accept(2), or in read(2) on a kept connection. Again and again, because a thread
                // may have been on its way into the call when the signal came.
                for thread in state.threads.values where !thread.isBusy.load(ordering: .sequentiallyConsistent) {
                    pthread_kill(thread.thread, SIGUSR1)
                }
                return state.threads.count
            }
            if remaining == 0 { return true }
            if MonotonicClock.now >= deadline { return false }
            usleep(5000)
        }
    }

    private func serve(_ number: Int) {
        var wake = sigset_t()
        sigemptyset(&wake)
        sigaddset(&wake, SIGUSR1)
        pthread_sigmask(SIG_UNBLOCK, &wake, nil)
        let request = UnsafeMutablePointer<FCGX_Request>.allocate(capacity: 1)
        defer { request.deallocate() }
        guard FCGX_InitRequest(request, listener, FCGI_FAIL_ACCEPT_ON_INTR) == 0 else { return }
        defer { FCGX_Free(request, 1) }
        let own = AcceptThread()
        state.withLock { $0.threads[number] = own }
        while !isDraining.load(ordering: .sequentiallyConsistent) {
            let result = FCGX_Accept_r(request)
            guard result == 0 else {
                guard canGoOn(after: -result) else { break }
                continue
            }
            own.isBusy.store(true, ordering: .sequentiallyConsistent)
            let incoming = FastCGIRequest(request)
            handler(incoming, FastCGIResponse(request))
            incoming.discardBody()
            if isDraining.load(ordering: .sequentiallyConsistent) { request.pointee.keepConnection = 0 }
            FCGX_Finish_r(request)
            own.isBusy.store(false, ordering: .sequentiallyConsistent)
        }
        state.withLock { $0.threads[number] = nil }
    }

    private func canGoOn(after code: CInt) -> Bool {
        switch code {
        case EINTR, ECONNABORTED, EAGAIN: return true
        case EMFILE, ENFILE, ENOBUFS, ENOMEM:
            // The machine is short of something; others will give it back.
            usleep(50_000)
            return true
        default:
            state.withLock { $0.failure = code }
            return false
        }
    }
}
