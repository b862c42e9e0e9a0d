internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel
internal import SoulBoxStore

extension ExecuteRequest {
    /// The spec for the template that the request means; what does not fit the template is noted.
    ///
    /// - Parameter own: The user's template that the request means, if it means one.
    /// - Returns: Nil when something was noted, now or before.
    /// - Throws: 503 when the templates are not known, because the isolation service is away.
    func spec(
        _ catalog: TemplateCatalog, in sandbox: AccountSandbox? = nil, own: TemplateChoice? = nil,
        _ validation: inout Validation
    ) throws(APIError) -> ExecutionSpec? {
        if let sandbox, let template, template != sandbox.template {
            validation.fail("template", "The sandbox is made from \(sandbox.template)")
        }
        guard let runtime, !validation.hasFailed("template") else { return nil }
        let manifest: ImageManifest?
        do {
            manifest =
                try own?.manifest
                ?? catalog.template(named: sandbox?.image ?? template, for: runtime, account: sandbox?.account)
        } catch {
            throw .unavailable
        }
        guard let manifest else {
            validation.fail(
                template == nil ? "language" : "template",
                template == nil ? "No template is installed for \(runtime.rawValue)" : "There is no such template")
            return nil
        }
        check(manifest, runtime, in: sandbox, &validation)
        if let sandbox { check(within: sandbox, &validation) }
        if context != nil, manifest.context == nil {
            validation.fail("context_id", "The template \(manifest.id) has no contexts")
        }
        guard validation.failures.isEmpty else { return nil }
        let inherited = (sandbox?.environment ?? []).filter { known in
            !environment.contains { $0.name == known.name }
        }
        return ExecutionSpec(
            sandbox: sandbox?.identifier, context: context, runtime: runtime, template: manifest.id,
            entrypoint: entrypoint, code: code,
            files: files, arguments: arguments, environment: inherited + environment, stdin: stdin, limits: limits,
            networkAccess: networkAccess)
    }

    /// More than the sandbox has as a whole is refused, not cut.
    private func check(within sandbox: AccountSandbox, _ validation: inout Validation) {
        if limits.memoryBytes > sandbox.memoryBytes {
            validation.fail("memory_limit", "The sandbox has \(ByteSize.text(sandbox.memoryBytes))")
        }
        if limits.cpuMillicores > sandbox.cpuMillicores {
            validation.fail("cpu_limit", "The sandbox has \(Double(sandbox.cpuMillicores) / 1000) cores")
        }
    }

    private func check(
        _ manifest: ImageManifest, _ runtime: Runtime, in sandbox: AccountSandbox?, _ validation: inout Validation
    ) {
        if manifest.runtime != runtime {
            validation.fail("template", "Is a template for \(manifest.runtime.rawValue), not for \(runtime.rawValue)")
        }
        if let version, !ExecuteRequest.isVersion(version, of: manifest.runtimeVersion) {
            validation.fail("version", "Only \(manifest.runtimeVersion) is installed")
        }
        if limits.memoryBytes < manifest.minimumMemoryBytes, !validation.hasFailed("memory_limit") {
            let minimum = ByteSize.text(manifest.minimumMemoryBytes)
            validation.fail("memory_limit", "The template \(manifest.id) needs at least \(minimum)")
        }
        var names = files.map(\.path)
        if code != nil, sandbox == nil {
            names.append(manifest.programFile)
            for (index, file) in files.enumerated() where FileName.collide(file.path, manifest.programFile) {
                validation.fail(
                    "files[\(index)].name", "Stands in the way of \(manifest.programFile), which holds the code")
            }
        }
        // What a sandbox holds is known when the execution begins.
        if sandbox == nil, let entrypoint, !validation.hasFailed("entrypoint"), !validation.hasFailed("files"),
            !names.contains(where: { $0.utf8.elementsEqual(entrypoint.utf8) })
        {
            validation.fail("entrypoint", "Is not among the files")
        }
    }

    /// Whether a version is the installed one or its beginning: `3` and `3.11` mean `3.11.2`, `3.1` does not.
    private static func isVersion(_ version: String, of installed: String) -> Bool {
        !version.isEmpty && (installed == version || installed.hasPrefix(version + "."))
    }
}
