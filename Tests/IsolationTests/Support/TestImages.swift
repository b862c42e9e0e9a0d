import Foundation
import SoulBoxModel

/// A directory of images with one like `basic-python`, in which programs may change `/srv/data`.
struct TestImages {
    let directory = "/var/cache/soulbox/test-images-\(UUID().uuidString.prefix(8).lowercased())"
    let template = "basic-python"

    struct Failure: Error {}

    init() throws {
        let files = FileManager.default
        let source = "/var/cache/soulbox/images/current/basic-python/"
        let image = directory + "/basic-python-1"
        try files.createDirectory(atPath: image, withIntermediateDirectories: true)
        // Files are shared with the original by links; what is added is not.
        let copy = Process()
        copy.executableURL = URL(filePath: "/bin/cp")
        copy.arguments = ["--archive", "--link", source + "rootfs", source + "manifest.json", image]
        copy.standardOutput = FileHandle.nullDevice
        copy.standardError = FileHandle.nullDevice
        try copy.run()
        copy.waitUntilExit()
        guard copy.terminationStatus == 0 else {
            remove()
            throw Failure()
        }
        let data = image + "/rootfs/srv/data"
        try files.createDirectory(atPath: data + "/dir", withIntermediateDirectories: true)
        for name in ["gone", "kept", "dir/inner"] { try Data(name.utf8).write(to: URL(filePath: "\(data)/\(name)")) }
        for name in ["", "/gone", "/kept", "/dir", "/dir/inner"] {
            guard chown(data + name, 1000, 1000) == 0 else { throw Failure() }
        }
        try files.createDirectory(atPath: directory + "/current", withIntermediateDirectories: true)
        try files.createSymbolicLink(
            atPath: directory + "/current/basic-python", withDestinationPath: "../basic-python-1")
    }

    func remove() { try? FileManager.default.removeItem(atPath: directory) }
}
