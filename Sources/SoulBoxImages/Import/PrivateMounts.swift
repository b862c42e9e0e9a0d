internal import LinuxKernel

/// Work with mounts that nobody else sees and that end with it (mount_namespaces(7)).
enum PrivateMounts {
    /// Runs `body` on a thread with a mount namespace of its own and waits for its end.
    ///
    /// What it starts inherits the namespace. Nothing is left mounted, however this process ends.
    static func run<Value: Sendable>(
        _ body: @escaping @Sendable () throws(ImageError) -> Value
    ) throws(ImageError) -> Value {
        let outcome = Monitor<Result<Value, ImageError>?>(nil)
        WorkerThread.start(name: "image-import", stackSize: 4 << 20) {
            let result = isolated(body)
            outcome.update { $0 = result }
        }
        guard let result = outcome.wait(for: { $0 }) else { throw ImageError("the work on the image has no end") }
        return try result.get()
    }

    private static func isolated<Value: Sendable>(
        _ body: @Sendable () throws(ImageError) -> Value
    ) -> Result<Value, ImageError> {
        do throws(SystemCallError) {
            try Namespaces.unshare(.mount)
            try Mount.setPropagation("/", .private, recursive: true)
        } catch {
            return .failure(ImageError("a mount namespace: \(error)"))
        }
        do throws(ImageError) {
            return .success(try body())
        } catch {
            return .failure(error)
        }
    }
}
