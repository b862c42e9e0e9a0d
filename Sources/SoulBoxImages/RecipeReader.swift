internal import Yams

/// Reads one mapping of a recipe and refuses keys that nobody asked for.
struct RecipeReader {
    /// Where in which file, for messages.
    private let place: String
    private let members: [(name: String, value: Node)]

    /// Reads the mapping at a place; its keys must be among `allowed`.
    init(_ node: Node?, at place: String, allowed: [String]) throws(ImageError) {
        guard let mapping = node?.mapping else { throw ImageError("\(place): expected a mapping") }
        var members: [(name: String, value: Node)] = []
        for (key, value) in mapping {
            guard let name = key.string else { throw ImageError("\(place): a key is no text") }
            guard allowed.contains(name) else {
                throw ImageError(
                    "\(place): unknown key \"\(name)\"", advice: "Known keys: \(allowed.joined(separator: ", ")).")
            }
            members.append((name, value))
        }
        self.members = members
        self.place = place
    }

    /// Whether the key is there.
    func has(_ name: String) -> Bool { node(name) != nil }

    /// The value of a key.
    func node(_ name: String) -> Node? { members.first { $0.name == name }?.value }

    /// The text of a key that must be there.
    func text(_ name: String) throws(ImageError) -> String {
        guard let text = node(name)?.scalar?.string, !text.isEmpty else {
            throw ImageError("\(spot(name)): expected a text")
        }
        return text
    }

    /// The texts of a key's list.
    func texts(_ name: String) throws(ImageError) -> [String] {
        guard let sequence = node(name)?.sequence else { throw ImageError("\(spot(name)): expected a list") }
        var texts: [String] = []
        for item in sequence {
            guard let text = item.scalar?.string else { throw ImageError("\(spot(name)): expected a list of texts") }
            texts.append(text)
        }
        return texts
    }

    /// The pairs of a key's mapping from text to text, in the order of the file.
    func pairs(_ name: String) throws(ImageError) -> [(name: String, value: String)] {
        guard let mapping = node(name)?.mapping else { throw ImageError("\(spot(name)): expected a mapping") }
        var pairs: [(name: String, value: String)] = []
        for (key, value) in mapping {
            guard let key = key.scalar?.string, let value = value.scalar?.string else {
                throw ImageError("\(spot(name)): expected texts")
            }
            pairs.append((key, value))
        }
        return pairs
    }

    /// The whole number of a key, within a range.
    /// A yes or no.
    func boolean(_ name: String, default fallback: Bool) throws(ImageError) -> Bool {
        guard let node = node(name) else { return fallback }
        guard let value = node.bool else { throw ImageError("\(spot(name)) must be true or false") }
        return value
    }

    func integer(_ name: String, in range: ClosedRange<Int>) throws(ImageError) -> Int {
        guard let value = Int(try text(name)), range.contains(value) else {
            throw ImageError("\(spot(name)): expected a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// The items of a key's list.
    func items(_ name: String) throws(ImageError) -> [Node] {
        guard let sequence = node(name)?.sequence else { throw ImageError("\(spot(name)): expected a list") }
        return Array(sequence)
    }

    private func spot(_ name: String) -> String { "\(place): \(name)" }
}
