/// Which variables of a container image its programs keep.
///
/// A template's variables are shown to everybody who may list templates, so that only those stay which tell programs where
/// things are; a password that somebody built into the image does not.
enum ImportedEnvironment {
    private static let names: Set<String> = [
        "PATH", "LANG", "LANGUAGE", "TZ", "GOROOT", "GOTOOLCHAIN", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "CONDA_PREFIX",
        "PYTHONPATH", "NODE_PATH", "CLASSPATH", "SSL_CERT_FILE", "SSL_CERT_DIR",
    ]
    private static let suffixes = ["_VERSION", "_HOME"]
    private static let prefixes = ["LC_"]

    /// What stays of an image's variables, with the operator's own over them.
    static func make(
        _ image: [ImageRecipe.Pair], runtime: [ImageRecipe.Pair], operator own: [ImageRecipe.Pair]
    ) -> [ImageRecipe.Pair] {
        var kept: [ImageRecipe.Pair] = []
        func set(_ pair: ImageRecipe.Pair) {
            kept.removeAll { $0.name == pair.name }
            kept.append(pair)
        }
        for pair in image where isKept(pair.name) && isValue(pair.value) { set(pair) }
        for pair in runtime {
            // Where a language looks for modules: the workspace first, then what the image has.
            let inherited = kept.first { $0.name == pair.name }?.value
            set(.init(name: pair.name, value: inherited.map { "\(pair.value):\($0)" } ?? pair.value))
        }
        own.forEach(set)
        return kept
    }

    /// Whether a text may name a variable.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains(first) else {
            return false
        }
        return text.utf8.count <= 128
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Whether a text may be a variable's value. Braces would be placeholders.
    static func isValue(_ text: String) -> Bool {
        text.utf8.count <= 4096 && !text.utf8.contains { $0 < 0x20 || $0 == 0x7F || $0 == UInt8(ascii: "{") }
    }

    private static func isKept(_ name: String) -> Bool {
        isName(name)
            && (names.contains(name) || suffixes.contains(where: name.hasSuffix)
                || prefixes.contains(where: name.hasPrefix))
            && name != "HOME"
    }
}
