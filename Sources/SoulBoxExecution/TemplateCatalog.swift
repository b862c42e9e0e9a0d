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
        /// Images of users' templates that were asked for, by account and name. They never change.
        var users: [String: ImageManifest] = [:]
    }

    private static let usersKept = 256

    private static let freshNanoseconds: UInt64 = 10_000_000_000
    private static let retryNanoseconds: UInt64 = 1_000_000_000

    /// Gives the image of a user's template, for an account.
    public typealias Find = @Sendable (_ image: String, _ account: String) throws(IsolationError) -> ImageManifest

    private let fetch: @Sendable () throws(IsolationError) -> [ImageManifest]
    private let find: Find
    private let state = Mutex(State())

    /// A catalog of what the service lists.
    public convenience init(_ connections: IsolatorConnections) {
        self.init(
            fetch: { () throws(IsolationError) in try connections.images() },
            find: { image, account throws(IsolationError) in
                try connections.with { connection throws(IsolationError) in
                    try connection.image(image, account: account)
                }
            })
    }

    /// A catalog of what `fetch` gives; users' templates are what `find` gives.
    public init(
        fetch: @escaping @Sendable () throws(IsolationError) -> [ImageManifest],
        find: @escaping Find = { image, _ throws(IsolationError) in throw IsolationError(.templateNotFound, image) }
    ) {
        self.fetch = fetch
        self.find = find
    }

    /// All templates, at most ten seconds old unless the service is away.
    ///
    /// - Throws: What the service said, when nothing has ever been fetched.
    public func templates() throws(IsolationError) -> [ImageManifest] {
        try current(olderThan: TemplateCatalog.freshNanoseconds)
    }

    /// The template that a name means for a language: the exact identifier first, then `<name>-<runtime>`.
    ///
    /// - Parameters:
    ///   - name: Nil means the language's default.
    ///   - account: Whose templates `name` may be an image of, as `tmpl_…-v3`, too; nil is nobody's.
    /// - Returns: Nil when no such image is built.
    public func template(
        named name: String?, for runtime: Runtime, account: String? = nil
    ) throws(IsolationError) -> ImageManifest? {
        if let name, let account, TemplateImageName(name) != nil { return try userImage(name, account) }
        let names = name.map { [$0, "\($0)-\(runtime.rawValue)"] } ?? [runtime.defaultTemplate]
        func find(_ manifests: [ImageManifest]) -> ImageManifest? {
            for name in names { if let found = manifests.first(where: { $0.id == name }) { return found } }
            return nil
        }
        if let found = find(try templates()) { return found }
        // Perhaps it has been built since; asking more often than once a second would let anyone keep the service busy.
        return find(try current(olderThan: TemplateCatalog.retryNanoseconds))
    }

    private func userImage(_ name: String, _ account: String) throws(IsolationError) -> ImageManifest? {
        let key = "\(account) \(name)"
        if let known = state.withLock({ $0.users[key] }) { return known }
        let found: ImageManifest
        do {
            found = try find(name, account)
        } catch {
            guard error.code == .templateNotFound else { throw error }
            return nil
        }
        state.withLock { state in
            if state.users.count >= TemplateCatalog.usersKept { state.users = [:] }
            state.users[key] = found
        }
        return found
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
            state.withLock { ($0.manifests, $0.fetchedAt) = (manifests, now) }
            return manifests
        } catch {
            let old = state.withLock { $0.fetchedAt == nil ? nil : $0.manifests }
            guard let old else { throw error }
            return old
        }
    }
}
