public import IsolationProtocol
internal import LinuxKernel
public import SoulBoxModel
internal import Synchronization

/// The templates whose images are built, as the isolation service lists them.
///
/// The list is asked for again when it is old or lacks what is looked for, so that a freshly built image is found
/// without a restart and a short absence of the service is not noticed.
public final class TemplateCatalog: Sendable {
    private struct State {
        var manifests: [ImageManifest] = []
        var fetchedAt: UInt64?
    }

    private static let freshNanoseconds: UInt64 = 10_000_000_000
    private static let retryNanoseconds: UInt64 = 1_000_000_000

    private let fetch: @Sendable () throws(IsolationError) -> [ImageManifest]
    private let state = Mutex(State())

    /// A catalog of what the service lists.
    public convenience init(_ connections: IsolatorConnections) {
        self.init { () throws(IsolationError) in try connections.images() }
    }

    /// A catalog of what `fetch` gives.
    public init(fetch: @escaping @Sendable () throws(IsolationError) -> [ImageManifest]) { self.fetch = fetch }

    /// All templates, at most ten seconds old unless the service is away.
    ///
    /// - Throws: What the service said, when nothing has ever been fetched.
    public func templates() throws(IsolationError) -> [ImageManifest] {
        try current(olderThan: TemplateCatalog.freshNanoseconds)
    }

    /// The template that a name means for a language: the exact identifier first, then `<name>-<runtime>`.
    ///
    /// - Parameter name: Nil means the language's default.
    /// - Returns: Nil when no such image is built.
    public func template(named name: String?, for runtime: Runtime) throws(IsolationError) -> ImageManifest? {
        let names = name.map { [$0, "\($0)-\(runtime.rawValue)"] } ?? [runtime.defaultTemplate]
        func find(_ manifests: [ImageManifest]) -> ImageManifest? {
            for name in names { if let found = manifests.first(where: { $0.id == name }) { return found } }
            return nil
        }
        if let found = find(try templates()) { return found }
        // Perhaps it has been built since; asking more often than once a second would let anyone keep the service busy.
        return find(try current(olderThan: TemplateCatalog.retryNanoseconds))
    }

    private func current(olderThan age: UInt64) throws(IsolationError) -> [ImageManifest] {
        let now = MonotonicClock.now
        let known = state.withLock { state -> [ImageManifest]? in
            guard let fetchedAt = state.fetchedAt, now < fetchedAt + age else { return nil }
            return state.manifests
        }
        if let known { return known }
        do {
            let manifests = try fetch()
            state.withLock { $0 = State(manifests: manifests, fetchedAt: now) }
            return manifests
        } catch {
            let old = state.withLock { $0.fetchedAt == nil ? nil : $0.manifests }
            guard let old else { throw error }
            return old
        }
    }
}
