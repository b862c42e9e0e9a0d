/// Names of sandboxes: parts of cgroup paths that nobody can guess.
enum SandboxName {
    /// Thirty-two of them: five bits each.
    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz".utf8)

    static func make() -> String {
        var generator = SystemRandomNumberGenerator()
        return String(unsafeUninitializedCapacity: 20) { name in
            for half in 0..<2 {
                var bits: UInt64 = generator.next()
                for index in 0..<10 {
                    name[half * 10 + index] = alphabet[Int(bits & 31)]
                    bits >>= 5
                }
            }
            return 20
        }
    }
}
