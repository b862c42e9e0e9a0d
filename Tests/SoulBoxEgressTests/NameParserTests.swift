import Testing

@testable import SoulBoxEgress

@Suite("Egress: messages of the domain name system")
struct NameParserTests {
    static func wire(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func message(_ name: [UInt8], type: UInt16 = 1, kind: UInt16 = 1, flags: UInt8 = 1) -> [UInt8] {
        [0xAB, 0xCD, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0] + name + [UInt8(type >> 8), UInt8(type & 255), 0, UInt8(kind)]
    }

    private func read(_ bytes: [UInt8]) -> NameQuestion? {
        if case .question(let question) = NameQuestion.read(bytes) { question } else { nil }
    }

    @Test("a question is read, in one spelling, and answered with its own number and name")
    func reading() throws {
        let question = try #require(read(NameParserTests.message(NameParserTests.wire("WWW.Good.test"))))
        #expect(question.name == "www.good.test" && question.identifier == 0xABCD && question.payloadSize == nil)
        let answer = question.answer(.success, addresses: [[1, 2, 3, 4]], ttl: 60)
        #expect(
            Array(answer.prefix(2)) == [0xAB, 0xCD] && answer[2] & 0x80 != 0 && Array(answer.suffix(4)) == [1, 2, 3, 4])
        let again = try #require(NameAnswer(answer, to: question, identifier: 0xABCD))
        #expect(again.addresses == [[1, 2, 3, 4]] && again.ttl == 60)
        #expect(NameAnswer(answer, to: question, identifier: 0xABCE) == nil)
    }

    @Test("what is no question gets the answer that fits, or none")
    func refusing() {
        #expect(NameQuestion.read([]) == .nothing)
        #expect(NameQuestion.read([UInt8](repeating: 0, count: 11)) == .nothing)
        // An answer is no question.
        #expect(NameQuestion.read(NameParserTests.message([0], flags: 0x81)) == .nothing)
        func code(_ bytes: [UInt8]) -> UInt8? {
            if case .failure(let answer) = NameQuestion.read(bytes) { answer[3] & 15 } else { nil }
        }
        #expect(code(NameParserTests.message([0], flags: 0x11)) == 4)
        #expect(code(NameParserTests.message(NameParserTests.wire("a.test"), kind: 3)) == 5)
        // Two questions, none, a pointer to itself, one forwards, a label over the end, a name too long.
        var two = NameParserTests.message(NameParserTests.wire("a.test"))
        two[5] = 2
        #expect(code(two) == 1)
        two[5] = 0
        #expect(code(two) == 1)
        #expect(code(NameParserTests.message([0xC0, 12])) == 1)
        #expect(code(NameParserTests.message([0xC0, 200])) == 1)
        #expect(code(NameParserTests.message([63, 1, 2])) == 1)
        #expect(code(NameParserTests.message([0x80, 1])) == 1)
        let long = NameParserTests.wire(
            Array(repeating: String(repeating: "a", count: 60), count: 5).joined(separator: "."))
        #expect(code(NameParserTests.message(long)) == 1)
    }

    @Test("83: a label that holds a dot or no letters equals no name that is allowed")
    func strangeLabels() throws {
        let dotted = try #require(read(NameParserTests.message([9] + Array("good.test".utf8) + [0])))
        #expect(dotted.name == "good?test")
        let binary = try #require(read(NameParserTests.message([5, 0, 255, 10, 32, 97, 0])))
        #expect(binary.name == "????a")
    }

    @Test("aliases are followed from the name that was asked for, and nothing else counts")
    func aliases() throws {
        let question = try #require(read(NameParserTests.message(NameParserTests.wire("a.test"))))
        func record(_ owner: String, _ type: UInt8, _ data: [UInt8], ttl: UInt8 = 60) -> [UInt8] {
            NameParserTests.wire(owner) + [0, type, 0, 1, 0, 0, 0, ttl, 0, UInt8(data.count)] + data
        }
        func answer(_ records: [[UInt8]]) -> NameAnswer? {
            let head: [UInt8] = [0xAB, 0xCD, 0x81, 0x80, 0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
            return NameAnswer(head + question.question + records.joined(), to: question, identifier: 0xABCD)
        }
        let chained = answer([
            record("a.test", 5, NameParserTests.wire("b.test"), ttl: 9), record("b.test", 1, [1, 1, 1, 1]),
            record("evil.test", 1, [6, 6, 6, 6]),
        ])
        #expect(chained?.addresses == [[1, 1, 1, 1]] && chained?.ttl == 9)
        #expect(answer([record("evil.test", 1, [6, 6, 6, 6])])?.addresses == [])
        let circle = answer([
            record("a.test", 5, NameParserTests.wire("b.test")), record("b.test", 5, NameParserTests.wire("a.test")),
        ])
        #expect(circle?.addresses == [])
        #expect(answer([record("a.test", 1, [1, 2, 3])])?.addresses == [])
    }

    @Test("no bytes bring the readers down")
    func noise() throws {
        var random = Noise(seed: 1)
        let model = NameParserTests.message(NameParserTests.wire("www.good.test"))
        let question = try #require(read(model))
        let answer = question.answer(.success, addresses: [[1, 2, 3, 4], [5, 6, 7, 8]], ttl: 60)
        var whole = 0
        for _ in 0..<20_000 {
            if case .question = NameQuestion.read(random.mutate(model)) { whole += 1 }
            if NameAnswer(random.mutate(answer), to: question, identifier: 0xABCD) != nil { whole += 1 }
        }
        #expect(whole > 100)
    }
}
