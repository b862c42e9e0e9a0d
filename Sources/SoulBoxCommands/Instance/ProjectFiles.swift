import Foundation
import LinuxKernel

/// The files that belong to the binaries: nginx's templates, migrations, image recipes.
enum ProjectFiles {
    /// The directory of that name: beside the binaries of an installation (`share/<name>`), or in the checkout that the
    /// binary was built in.
    static func directory(_ name: String, _ instance: Instance) throws -> String {
        let own = URL(filePath: try Files.readLink("/proc/self/exe")).deletingLastPathComponent()
        // .build/<triple>/<configuration>/soulbox of a checkout, known by its manifest.
        let checkout = own.appending(path: "../../..").standardizedFileURL.path
        var candidates = ["\(own.deletingLastPathComponent().path)/share/\(name)", "\(instance.data)/share/\(name)"]
        if Files.exists(checkout + "/Package.swift") { candidates.insert("\(checkout)/\(name)", at: 0) }
        if let found = candidates.first(where: Files.exists) { return found }
        throw OperatorError(
            "the directory \(name) is missing", advice: "Keep share/\(name) beside the bin directory of the binaries.")
    }
}

extension ProjectFiles {
    /// Copies the files to the instance, so that its binaries find them wherever they were built.
    static func install(_ instance: Instance) throws {
        for name in ["nginx", "migrations", "images", "docs"] {
            let source = try directory(name, instance)
            let target = instance.data + "/share/" + name
            guard source != target else { continue }
            try Files.makeDirectory(instance.data + "/share", mode: 0o755)
            try? FileManager.default.removeItem(atPath: target)
            try FileManager.default.copyItem(atPath: source, toPath: target)
        }
    }
}
