import Crypto
import LinuxKernel
import SoulBoxModel

@testable import SoulBoxImages

/// Writes archives of container images, good and bad, and a catalogue to import them into.
struct ArchiveFixture {
    let directory = TemporaryDirectory()

    var catalogue: ImageCatalogue { ImageCatalogue(directory: "\(directory.path)/images") }

    /// The root of the current image of a template.
    func root(_ name: String) -> String { "\(catalogue.directory)/current/\(name)/rootfs" }

    func remove() { directory.remove() }

    /// Imports an archive as a template for Python.
    func run(
        _ archive: String, name: String = "my-python", runtime: Runtime = .python,
        change: (inout ImportRequest) -> Void = { _ in }
    ) throws {
        var request = ImportRequest(archive: archive, name: name, runtime: runtime)
        request.maximumBytes = 64 << 20
        request.seconds = 60
        change(&request)
        try ImageImporter(catalogue: catalogue, recipes: ArchiveFixture.recipes) { _ in }.run(request)
    }

    /// The recipes of this checkout.
    static let recipes = #filePath.components(before: "/Tests/") + "/images"

    /// Writes an OCI archive of some layers; `blob` may change a blob after its digest was taken.
    func archive(
        _ layers: [LayerTree], environment: [String] = ["PATH=/usr/bin", "PYTHON_VERSION=3.11.2"],
        architecture: String = ContainerImage.hostArchitecture, blob: (inout [UInt8]) -> Void = { _ in }
    ) throws -> String {
        let configuration = ArchiveFixture.configuration(layers, environment: environment, architecture: architecture)
        let blobs = [configuration] + layers.map(\.bytes)
        let manifest = JSONValue.object(
            JSONObject([
                ("schemaVersion", 2), ("mediaType", "application/vnd.oci.image.manifest.v1+json"),
                ("config", ArchiveFixture.descriptor(configuration, "application/vnd.oci.image.config.v1+json")),
                (
                    "layers",
                    .array(
                        layers.map {
                            ArchiveFixture.descriptor($0.bytes, "application/vnd.oci.image.layer.v1.tar")
                        })
                ),
            ])
        ).bytes
        let index = JSONValue.object(
            JSONObject([
                ("schemaVersion", 2),
                (
                    "manifests",
                    .array([ArchiveFixture.descriptor(manifest, "application/vnd.oci.image.manifest.v1+json")])
                ),
            ])
        ).bytes
        var files: [(String, [UInt8])] = [
            ("oci-layout", Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8)), ("index.json", index),
        ]
        for var bytes in blobs + [manifest] {
            let name = "blobs/sha256/\(ArchiveFixture.digest(bytes))"
            if bytes != manifest, bytes != configuration { blob(&bytes) }
            files.append((name, bytes))
        }
        return try write("image.tar", files)
    }

    /// Writes what `docker save` does.
    func dockerArchive(_ layer: LayerTree) throws -> String {
        let configuration = ArchiveFixture.configuration(
            [layer], environment: ["PYTHON_VERSION=3.11.2"], architecture: ContainerImage.hostArchitecture)
        let manifest = JSONValue.array([
            .object(
                JSONObject([
                    ("Config", "config.json"), ("RepoTags", ["example:1"]), ("Layers", ["layer.tar"]),
                ]))
        ])
        return try write(
            "docker.tar",
            [("manifest.json", manifest.bytes), ("config.json", configuration), ("layer.tar", layer.bytes)])
    }

    /// Runs a program and expects that it ends well.
    func shell(_ command: String) throws {
        let status = try ChildProcess.run(
            "/bin/sh", ["-c", "cd \(directory.path) && \(command)"], environment: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]
        ) { _ in }
        guard status == .exited(0) else { throw ImageError("\(command): \(status)") }
    }

    private func write(_ name: String, _ files: [(String, [UInt8])]) throws -> String {
        try? Files.removeTree("\(directory.path)/tree")
        for (path, bytes) in files {
            directory.write("tree/\(path)", "")
            try Files.write("\(directory.path)/tree/\(path)", bytes)
        }
        try shell("tar --create --file \(name) --directory tree \(files.map(\.0).joined(separator: " "))")
        return "\(directory.path)/\(name)"
    }

    private static func configuration(
        _ layers: [LayerTree], environment: [String], architecture: String
    ) -> [UInt8] {
        JSONValue.object(
            JSONObject([
                ("architecture", .string(architecture)), ("os", "linux"),
                ("config", .object(JSONObject([("Env", .array(environment.map(JSONValue.string)))]))),
                (
                    "rootfs",
                    .object(
                        JSONObject([
                            ("type", "layers"),
                            ("diff_ids", .array(layers.map { .string("sha256:\(digest($0.bytes))") })),
                        ]))
                ),
            ])
        ).bytes
    }

    private static func descriptor(_ bytes: [UInt8], _ type: String) -> JSONValue {
        .object(
            JSONObject([
                ("mediaType", .string(type)), ("digest", .string("sha256:\(digest(bytes))")),
                ("size", .integer(Int64(bytes.count))),
            ]))
    }

    static func digest(_ bytes: [UInt8]) -> String { RecipeHash.text(SHA256.hash(data: bytes)) }
}

extension String {
    /// What stands before a text in this one.
    fileprivate func components(before text: String) -> String {
        firstRange(of: text).map { String(self[..<$0.lowerBound]) } ?? self
    }
}
