public import SoulBoxModel

extension IsolationConnection {
    /// Programs may take a while to end, and a disk to be written.
    private static let templateMilliseconds: CInt = 120_000

    /// Makes the disk of a sandbox the image of a user's template; the sandbox ends with that. Gives the bytes in use.
    ///
    /// - Parameter environment: Variables that every program of the template's sandboxes gets, taken as they are.
    public func sealTemplate(
        _ image: TemplateImageName, from sandbox: String, account: String, environment: [ExecutionSpec.Variable]
    ) throws(IsolationError) -> Int64 {
        let reply = try call(
            "io.soulbox.isolation.SealTemplate",
            [
                "sandbox": .string(sandbox), "account": .string(account), "template": .string(image.text),
                "environment": .array(environment.map { ["name": .string($0.name), "value": .string($0.value)] }),
            ], timeoutMilliseconds: IsolationConnection.templateMilliseconds)
        guard let size = reply["size"]?.integerValue else { throw IsolationError(.protocolViolation, "no size") }
        return size
    }

    /// Removes an image of a user's template; one that is not there is no error, one in use is a conflict.
    public func removeTemplate(_ image: TemplateImageName, account: String) throws(IsolationError) {
        _ = try call(
            "io.soulbox.isolation.RemoveTemplate", ["template": .string(image.text), "account": .string(account)],
            timeoutMilliseconds: IsolationConnection.templateMilliseconds)
    }

    /// The manifest of the image that an account may make sandboxes from by that name.
    public func image(_ template: String, account: String) throws(IsolationError) -> ImageManifest {
        let reply = try call(
            "io.soulbox.isolation.FindImage", ["template": .string(template), "account": .string(account)])
        do {
            return try ImageManifest(json: reply["image"] ?? .null)
        } catch {
            throw IsolationError(.protocolViolation, "malformed manifest: \(error.field)")
        }
    }
}
