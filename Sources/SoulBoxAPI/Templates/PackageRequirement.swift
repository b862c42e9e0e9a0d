/// A package of Python as a template may ask for it: a part of PEP 508 that names what an index has and nothing else.
///
/// No option, no address, no path, no environment marker: what begins with a letter or a digit and consists of these can
/// be none of them.
enum PackageRequirement {
    /// Bytes of a whole requirement.
    static let maximum = 200

    /// The grammar as the API's description has it too.
    static let pattern =
        #"^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?(\[[A-Za-z0-9._-]+(,[A-Za-z0-9._-]+)*\])?"#
        + #"((===|==|~=|!=|<=|>=|<|>)[A-Za-z0-9.*+!_-]+(,(===|==|~=|!=|<=|>=|<|>)[A-Za-z0-9.*+!_-]+)*)?$"#

    /// What is wrong with a requirement; nil when it is one.
    static func problem(_ text: String) -> String? {
        guard text.utf8.count <= maximum else { return "Must be at most \(maximum) bytes long" }
        var rest = Substring(text)
        let name = take(&rest, nameCharacters)
        guard let first = name.first, let last = name.last, isAlphanumeric(first), isAlphanumeric(last) else {
            return "Must begin with a package's name"
        }
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return "Has an extra without an end" }
            let extras = rest[..<end].dropFirst().split(separator: ",", omittingEmptySubsequences: false)
            guard extras.allSatisfy({ !$0.isEmpty && $0.allSatisfy(nameCharacters.contains) }) else {
                return "Has an extra that is no name"
            }
            rest = rest[rest.index(after: end)...]
        }
        guard !rest.isEmpty else { return nil }
        for clause in rest.split(separator: ",", omittingEmptySubsequences: false) {
            var clause = clause
            let comparison = take(&clause, "=~!<>")
            guard comparisons.contains(String(comparison)), !clause.isEmpty,
                clause.allSatisfy(versionCharacters.contains)
            else { return "Must be a name, perhaps with [extras], then versions as ==1.2 or >=1.0,<2, without spaces" }
        }
        return nil
    }

    private static let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    private static let nameCharacters = Set(letters + "._-")
    private static let versionCharacters = Set(letters + ".*+!_-")
    private static let comparisons: Set<String> = ["===", "==", "~=", "!=", "<=", ">=", "<", ">"]

    private static func isAlphanumeric(_ character: Character) -> Bool { letters.contains(character) }

    private static func take(_ text: inout Substring, _ characters: some Collection<Character>) -> Substring {
        let taken = text.prefix { characters.contains($0) }
        text = text.dropFirst(taken.count)
        return taken
    }
}
