internal import Glibc
internal import LinuxKernel

/// The right to change a directory of images: one process has it at a time, and it ends with the process.
enum ImageLock {
    /// Runs `body` while holding a directory's lock (flock(2)); `waiting` is called once when another process has it.
    static func hold(
        _ directory: String, waiting: () -> Void = {}, body: () throws(ImageError) -> Void
    ) throws(ImageError) {
        let file: SharedDescriptor
        do {
            file = SharedDescriptor(try Files.open("\(directory)/.lock", [.readWrite, .create], mode: 0o600))
            if flock(file.rawValue, LOCK_EX | LOCK_NB) != 0 {
                waiting()
                try check("flock") { flock(file.rawValue, LOCK_EX) }
            }
        } catch {
            throw ImageError("\(directory)/.lock: \(error)")
        }
        // Said aloud, because closing the file alone would not do where a child still has it open.
        defer { flock(file.rawValue, LOCK_UN) }
        try body()
    }
}
