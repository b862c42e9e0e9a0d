internal import Glibc
internal import IsolationProtocol
internal import LinuxKernel
internal import SoulBoxModel
internal import Synchronization

/// The images of users' templates: for each a directory with `layer.ext4` and `template.json`.
///
/// A layer is the disk of a sandbox of this instance: written by the kernel alone, never by a user as bytes. Nothing else is
/// ever mounted from here. A directory appears and goes by a rename, so that a reader finds a whole image or none.
final class TemplateStore: Sendable {
    private static let unfinished = ".new"
    private static let leaving = ".old"

    private let path: String
    private let cache = Mutex<[String: TemplateRecord]>([:])

    /// The images below that directory, which is made when the first one is.
    ///
    /// It must be on the filesystem that the disks of sandboxes are on.
    init(path: String) { self.path = path }

    /// Removes what an earlier run that was killed had begun to make or to remove.
    func clearLeftovers() throws(SandboxError) {
        try step(.removal) { () throws(SystemCallError) in
            guard Files.exists(path) else { return }
            for name in try Files.list(path) where TemplateImageName(name) == nil {
                try Files.removeTree("\(path)/\(name)")
            }
        }
    }

    /// What the image of that name is; nil when there is none.
    func record(named name: String) -> TemplateRecord? {
        // Names come from callers and become path segments.
        guard TemplateImageName(name) != nil else { return nil }
        if let known = cache.withLock({ $0[name] }) { return known }
        guard let bytes = try? Files.read("\(path)/\(name)/template.json"), let json = try? JSONParser.parse(bytes),
            let record = TemplateRecord(json: json), record.name == name
        else { return nil }
        cache.withLock { $0[name] = record }
        return record
    }

    /// The layer of the image of that name.
    func layer(of name: String) -> String { "\(path)/\(name)/layer.ext4" }

    /// Makes a disk that nobody has mounted the layer of a new image.
    ///
    /// The disk is moved, not copied: from here on no sandbox has it.
    func publish(_ record: TemplateRecord, disk: String) throws {
        let directory = "\(path)/\(record.name)"
        guard !Files.exists(directory) else { throw IsolationError(.conflict, "there is such an image") }
        let new = directory + TemplateStore.unfinished
        do throws(SystemCallError) {
            try Files.makeDirectory(path, mode: 0o700)
            try Files.removeTree(new)
            try Files.makeDirectory(new, mode: 0o700)
            let file = try Files.open(disk, .readOnly, resolve: .noSymlinks)
            try Files.setMode(of: file.rawValue, 0o400)
            try Files.synchronize(file.rawValue)
            try rename(disk, to: new + "/layer.ext4")
            try Files.writeAtomically(new + "/template.json", record.json.bytes, mode: 0o400)
            try rename(new, to: directory)
            try synchronize()
        } catch {
            try? Files.removeTree(new)
            throw SandboxError(.seal, error)
        }
        cache.withLock { $0[record.name] = record }
    }

    /// Removes an image that nobody uses; one that is not there is no error.
    func remove(_ name: String) throws(SandboxError) {
        guard TemplateImageName(name) != nil else { return }
        cache.withLock { _ = $0.removeValue(forKey: name) }
        let directory = "\(path)/\(name)"
        try step(.removal) { () throws(SystemCallError) in
            guard Files.exists(directory) else { return }
            let old = directory + TemplateStore.leaving
            try Files.removeTree(old)
            try rename(directory, to: old)
            try synchronize()
            try Files.removeTree(old)
        }
    }

    private func rename(_ path: String, to target: String) throws(SystemCallError) {
        try Files.rename(
            path, at: Files.workingDirectory, to: target, at: Files.workingDirectory, keepingTarget: true)
    }

    private func synchronize() throws(SystemCallError) {
        let directory = try Files.openDirectory(path)
        try Files.synchronize(directory.rawValue)
    }
}
