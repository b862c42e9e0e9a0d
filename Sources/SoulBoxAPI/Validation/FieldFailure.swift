/// What is wrong with one field of a request.
struct FieldFailure: Equatable, Sendable {
    /// The field, as `files[2].name`.
    let field: String
    /// What is wrong, in words that may be shown to the client.
    let reason: String
}
