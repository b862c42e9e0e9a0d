internal import IsolationProtocol
internal import SoulBoxExecution
internal import SoulBoxModel

extension ExecuteRequest {
    /// The spec for the template that the request means; what does not fit the template is noted.
    ///
    /// - Returns: Nil when something was noted, now or before.
    /// - Throws: 503 when the templates are not known, because the isolation service is away.
    func spec(
        _ catalog: TemplateCatalog, _ validation: inout Validation
    ) throws(APIError) -> ExecutionSpec? {
        guard let runtime, !validation.hasFailed("template") else { return nil }
        let manifest: ImageManifest?
        do {
            manifest = try catalog.template(named: template, for: runtime)
        } catch {
            throw .unavailable
        }
        guard let manifest else {
            validation.fail(
                template == nil ? "language" : "template",
                template == nil ? "No template is installed for \(runtime.rawValue)" : "There is no such template")
            return nil
        }
        check(manifest, runtime, &validation)
        guard validation.failures.isEmpty else { return nil }
        return ExecutionSpec(
            runtime: runtime, template: manifest.id, entrypoint: entrypoint, code: code, files: files,
            arguments: arguments, environment: environment, stdin: stdin, limits: limits)
    }

    private func check(_ manifest: ImageManifest, _ runtime: Runtime, _ validation: inout Validation) {
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
        if code != nil {
            names.append(manifest.programFile)
            for (index, file) in files.enumerated() where FileName.collide(file.path, manifest.programFile) {
                validation.fail(
                    "files[\(index)].name", "Stands in the way of \(manifest.programFile), which holds the code")
            }
        }
        if let entrypoint, !validation.hasFailed("entrypoint"), !validation.hasFailed("files"),
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
