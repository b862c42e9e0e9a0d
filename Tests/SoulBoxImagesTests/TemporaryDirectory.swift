import Glibc
import LinuxKernel

/// A directory of a test's own, which the test removes at its end.
struct TemporaryDirectory {
    let path: String

    init() {
        var template = Array("/tmp/soulbox-images-test-XXXXXX".utf8CString)
        path = mkdtemp(&template).map { String(cString: $0) } ?? ""
        precondition(!path.isEmpty, "no temporary directory")
    }

    /// Writes a file and the directories above it.
    func write(_ name: String, _ text: String, mode: mode_t = 0o644) {
        var parent = path
        for segment in name.split(separator: "/").dropLast() {
            parent += "/\(segment)"
            mkdir(parent, 0o755)
        }
        let file = open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        precondition(file >= 0, "cannot write \(name)")
        let bytes = Array(text.utf8)
        precondition(Glibc.write(file, bytes, bytes.count) == bytes.count)
        fchmod(file, mode)
        close(file)
    }

    /// Not in a deinitialiser: that runs after the last use of the object, while the path is still in use.
    func remove() { try? Files.removeTree(path) }
}
