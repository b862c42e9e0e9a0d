/// Commands that change elements of an instance's sets (nft(8)).
struct ElementCommands {
    let table: String
    private(set) var text = ""

    init(table: String) { self.table = table }

    /// Adds what a policy consists of.
    mutating func add(_ policy: NetworkPolicy) {
        for (set, element) in policy.elements { add(element, to: set) }
    }

    /// Removes what a policy consists of, and what the kernel and soulbox-egress have added for it.
    mutating func remove(_ policy: NetworkPolicy, admitted: Admissions) {
        for (set, element) in policy.elements { delete(element, from: set) }
        for set in NetworkPolicy.dynamicSets { forget(policy.markText, in: set) }
        for (set, element) in admitted.elements(of: policy) { forget(element, in: set) }
    }

    /// Admits addresses for a time.
    mutating func admit(_ entries: [Admissions.Entry], for policy: NetworkPolicy, seconds: Int) {
        for entry in entries {
            let (set, element) = entry.element(of: policy)
            // An element that is there keeps its time unless it is taken away first.
            forget(element, in: set)
            add("\(element) timeout \(seconds)s", to: set)
        }
    }

    /// Adds an element.
    mutating func add(_ element: String, to set: String) {
        text += "add element inet \(table) \(set) { \(element) }\n"
    }

    /// Removes an element that is there.
    mutating func delete(_ element: String, from set: String) {
        text += "delete element inet \(table) \(set) { \(element) }\n"
    }

    /// Removes an element that may be there: to remove one that is not is an error, to add one that is there is none.
    private mutating func forget(_ element: String, in set: String) {
        add(element, to: set)
        delete(element, from: set)
    }
}
