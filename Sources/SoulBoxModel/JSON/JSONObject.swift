/// The members of a JSON object, in the order in which they were written.
///
/// Look-up is linear: the API's objects have a few dozen members at most, and the parser bounds hostile ones.
public struct JSONObject: Sendable, Equatable {
    /// Name and value of one member.
    public struct Member: Sendable, Equatable {
        /// The member's name.
        public let name: String
        /// The member's value.
        public var value: JSONValue

        /// Makes a member.
        public init(name: String, value: JSONValue) {
            self.name = name
            self.value = value
        }
    }

    /// The members in order; names are unique.
    public private(set) var members: [Member]

    /// An object of these members; the last of several with one name wins.
    public init(_ pairs: [(String, JSONValue)] = []) {
        members = []
        members.reserveCapacity(pairs.count)
        for (name, value) in pairs { self[name] = value }
    }

    /// An object of these members, of which no two have the same name: nothing is looked for.
    public init(distinct pairs: [(String, JSONValue)]) {
        members = pairs.map { Member(name: $0.0, value: $0.1) }
    }

    /// An object of members whose names the caller knows to be unique.
    init(unique members: [Member]) { self.members = members }

    /// The member of that name; setting nil removes it.
    public subscript(name: String) -> JSONValue? {
        get { members.first { $0.name == name }?.value }
        set {
            let index = members.firstIndex { $0.name == name }
            switch (index, newValue) {
            case (let index?, let value?): members[index].value = value
            case (let index?, nil): members.remove(at: index)
            case (nil, let value?): members.append(Member(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    /// The names in order.
    public var names: [String] { members.map(\.name) }

    /// Whether there is no member.
    public var isEmpty: Bool { members.isEmpty }

    /// How many members there are.
    public var count: Int { members.count }
}
