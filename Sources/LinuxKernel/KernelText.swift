/// A text of the kernel's, as procfs and cgroups have them, or a part of one, taken as the bytes that it is.
///
/// A sandbox's posture is some twenty such texts: to make strings of their parts, and to compare those as Unicode wants it,
/// took longer than the kernel takes to write them.
public struct KernelText: Sendable {
    private let bytes: ArraySlice<UInt8>

    /// A text of these bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    private init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// Its lines, empty ones left out.
    public var lines: Parts { Parts(bytes, at: UInt8(ascii: "\n"), UInt8(ascii: "\n")) }

    /// What stands between its spaces and tabs.
    public var words: Parts { Parts(bytes, at: UInt8(ascii: " "), UInt8(ascii: "\t")) }

    /// What stands between two of that character, empty parts left out.
    public func parts(at separator: Unicode.Scalar) -> Parts {
        let byte = UInt8(ascii: separator)
        return Parts(bytes, at: byte, byte)
    }

    /// Whether nothing is in it.
    public var isEmpty: Bool { bytes.isEmpty }

    /// Whether it is that text.
    public func equals(_ text: StaticString) -> Bool { bytes.count == text.utf8CodeUnitCount && begins(with: text) }

    /// Whether it is that text.
    public func equals(_ text: String) -> Bool { bytes.elementsEqual(text.utf8) }

    /// Whether it begins so.
    public func begins(with text: StaticString) -> Bool {
        guard bytes.count >= text.utf8CodeUnitCount else { return false }
        return text.withUTF8Buffer { wanted in
            var index = bytes.startIndex
            for byte in wanted {
                if bytes[index] != byte { return false }
                index += 1
            }
            return true
        }
    }

    /// What follows after so many bytes.
    public func dropping(_ count: Int) -> KernelText { KernelText(bytes.dropFirst(count)) }

    /// The rest of the first line that begins so, as `Threads:` in `/proc/<pid>/status`; nil where there is none.
    public func line(after name: StaticString) -> KernelText? {
        for line in lines where line.begins(with: name) { return line.dropping(name.utf8CodeUnitCount) }
        return nil
    }

    /// What follows the last one of that character; nil where there is none.
    public func rest(afterLast character: Unicode.Scalar) -> KernelText? {
        bytes.lastIndex(of: UInt8(ascii: character)).map { KernelText(bytes[($0 + 1)...]) }
    }

    /// Whether it is a number and nothing else.
    public var isNumber: Bool {
        !bytes.isEmpty && bytes.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    /// The number that it begins with, in decimal; 0 where there is none. One that is too large is the largest there is.
    public var number: UInt64 {
        var value: UInt64 = 0
        for byte in bytes {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { break }
            let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, isLarger) = tenfold.addingReportingOverflow(UInt64(byte - UInt8(ascii: "0")))
            if isTooLarge || isLarger { return .max }
            value = sum
        }
        return value
    }

    /// It as a string, repaired where it is no UTF-8.
    public var string: String { String(decoding: bytes, as: UTF8.self) }
}

extension KernelText {
    /// The parts of a text between separators.
    public struct Parts: Sequence, IteratorProtocol {
        private var rest: ArraySlice<UInt8>
        private let separators: (UInt8, UInt8)

        fileprivate init(_ bytes: ArraySlice<UInt8>, at first: UInt8, _ second: UInt8) {
            rest = bytes
            separators = (first, second)
        }

        private func isSeparator(_ byte: UInt8) -> Bool { byte == separators.0 || byte == separators.1 }

        /// The next part that is not empty.
        public mutating func next() -> KernelText? {
            var start = rest.startIndex
            while start < rest.endIndex, isSeparator(rest[start]) { start += 1 }
            guard start < rest.endIndex else { return nil }
            var end = start
            while end < rest.endIndex, !isSeparator(rest[end]) { end += 1 }
            defer { rest = rest[end...] }
            return KernelText(rest[start..<end])
        }
    }
}
