extension TestStack {
    /// One for the tests that kill or stop its processes one after the other; each leaves it as healthy as it was. Who asks from this
    /// machine gets its figures without a key.
    static let harmed: TestStack = {
        do {
            return try TestStack(configuration: "http:\n  metrics_allow: [\"127.0.0.1\"]\n")
        } catch {
            fatalError("the stack did not start: \(error)")
        }
    }()
}
