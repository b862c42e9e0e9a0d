/// A layer of a container image, made entry by entry as no honest program would.
struct LayerTree {
    private(set) var bytes: [UInt8] = []

    /// Adds a directory.
    mutating func directory(_ path: String, mode: Int = 0o755) { add(path, type: "5", mode: mode) }

    /// Adds a file.
    mutating func file(_ path: String, _ text: String = "", mode: Int = 0o644, owner: Int = 0) {
        add(path, type: "0", mode: mode, owner: owner, contents: Array(text.utf8))
    }

    /// Adds a symbolic link.
    mutating func link(_ path: String, to target: String) { add(path, type: "2", mode: 0o777, link: target) }

    /// Adds a second name of a file.
    mutating func hardLink(_ path: String, to target: String) { add(path, type: "1", mode: 0o644, link: target) }

    /// Adds a character device, that of memory.
    mutating func device(_ path: String) { add(path, type: "3", mode: 0o666) }

    /// Adds a FIFO.
    mutating func fifo(_ path: String) { add(path, type: "6", mode: 0o666) }

    /// Adds a file with an extended attribute (pax).
    mutating func file(_ path: String, attribute: String, value: String) {
        let text = " SCHILY.xattr.\(attribute)=\(value)\n"
        var length = text.utf8.count
        while String(length).utf8.count + text.utf8.count != length {
            length = String(length).utf8.count + text.utf8.count
        }
        add("pax", type: "x", mode: 0o644, contents: Array("\(length)\(text)".utf8))
        file(path, "x")
    }

    /// Adds a file that is nothing but a hole of that size, in GNU's sparse form.
    mutating func hole(_ path: String, size: Int) {
        // GNU.sparse 0.1: a map without data, and the size that it pretends to.
        let records = ["GNU.sparse.size=\(size)", "GNU.sparse.numblocks=1", "GNU.sparse.map=\(size),0"]
        let contents = records.map { record -> String in
            var length = record.utf8.count + 3
            while "\(length) \(record)\n".utf8.count != length { length += 1 }
            return "\(length) \(record)\n"
        }.joined()
        add("pax", type: "x", mode: 0o644, contents: Array(contents.utf8))
        file(path)
    }

    /// Adds the two blocks of zeros.
    mutating func end() { bytes += [UInt8](repeating: 0, count: 1024) }

    /// A tree with a Python that answers with a version, from nothing but `sh` of the host.
    static func plain(_ add: (inout LayerTree) -> Void = { _ in }) -> LayerTree {
        var layer = LayerTree()
        for path in ["etc", "usr", "usr/bin", "opt", "opt/data"] { layer.directory(path) }
        layer.file("usr/bin/python3.11", "#!/bin/sh\n", mode: 0o755)
        layer.link("usr/bin/python3", to: "python3.11")
        layer.file("etc/passwd", "intruder:x:0:0::/:/bin/sh\n")
        layer.file("opt/data/table.csv", "1,2\n", mode: 0o600, owner: 4711)
        add(&layer)
        layer.end()
        return layer
    }

    private mutating func add(
        _ path: String, type: String, mode: Int, owner: Int = 0, link: String = "", contents: [UInt8] = []
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ value: Int, digits: Int) -> String {
            let text = String(value, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(path, at: 0)
        put(octal(mode, digits: 7), at: 100)
        put(octal(owner, digits: 7), at: 108)
        put(octal(owner, digits: 7), at: 116)
        put(octal(contents.count, digits: 11), at: 124)
        put(octal(1_700_000_000, digits: 11), at: 136)
        put("        ", at: 148)
        put(type, at: 156)
        put(link, at: 157)
        put("ustar", at: 257)
        put("00", at: 263)
        put(octal(1, digits: 7), at: 329)
        put(octal(1, digits: 7), at: 337)
        put(octal(header.reduce(0) { $0 + Int($1) }, digits: 6) + "\0 ", at: 148)
        bytes += header + contents + [UInt8](repeating: 0, count: (512 - contents.count % 512) % 512)
    }
}
