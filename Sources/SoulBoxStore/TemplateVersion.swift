public import SoulBoxModel

/// A version of a user's template, and how its build stands.
public struct TemplateVersion: Sendable, Equatable {
    /// Where a build stands.
    public enum Status: String, Sendable, CaseIterable {
        /// It waits for a scheduler.
        case queued
        /// A scheduler builds it.
        case building
        /// Sandboxes can be made from it.
        case ready
        /// It could not be built.
        case failed
        /// Its owner did not want it any more.
        case cancelled

        /// Whether it may still change.
        public var isFinal: Bool { self != .queued && self != .building }
    }

    /// Its number, from 1.
    public var number: Int
    /// What it is made of.
    public var spec: TemplateSpec
    /// Where its build stands.
    public var status: Status
    /// Why it could not be built.
    public var error: String?
    /// The packages that were installed for it, with those that they need.
    public var packagesInstalled: [ImageManifest.Package] = []
    /// Bytes in use in its image, beside its base's.
    public var sizeBytes: Int64?
    /// When it was asked for.
    public var createdAt: Timestamp
    /// When its build began.
    public var startedAt: Timestamp?
    /// When its build ended.
    public var finishedAt: Timestamp?
}
