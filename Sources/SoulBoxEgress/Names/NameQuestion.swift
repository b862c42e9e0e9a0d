/// A question for a name (RFC 1035, section 4.1.2), as it came.
struct NameQuestion: Sendable, Equatable {
    /// Types of records that are told apart.
    enum RecordType {
        static let address: UInt16 = 1
        static let alias: UInt16 = 5
        static let options: UInt16 = 41
        static let incrementalTransfer: UInt16 = 251
        static let transfer: UInt16 = 252
        static let any: UInt16 = 255
    }

    /// The number that the answer must have.
    let identifier: UInt16
    /// In lower case, without a final dot.
    let name: String
    /// Which records are wanted.
    let type: UInt16
    /// The name as it was written, with type and class: what an answer repeats.
    let question: [UInt8]
    /// How large an answer over UDP may be (RFC 6891); nil when the question does not say.
    let payloadSize: Int?
    /// Whether the answer may be looked for elsewhere.
    let wantsRecursion: Bool

    /// What came of reading.
    enum Reading: Equatable {
        /// A question.
        case question(NameQuestion)
        /// None that is answered with anything but this code; the answer.
        case failure([UInt8])
        /// Nothing that gets an answer.
        case nothing
    }

    static let headerBytes = 12

    /// Reads a message that a sandbox sent.
    static func read(_ bytes: [UInt8]) -> Reading {
        guard bytes.count >= headerBytes, bytes[2] & 0x80 == 0 else { return .nothing }
        func fail(_ code: AnswerCode) -> Reading {
            .failure(Array(bytes[..<2]) + [0x80 | bytes[2] & 0x79, code.rawValue] + [UInt8](repeating: 0, count: 8))
        }
        guard bytes[2] & 0x78 == 0 else { return fail(.notImplemented) }
        do throws(NameReader.Malformed) {
            var reader = NameReader(bytes, at: 4)
            let (questions, answers, authorities) = (
                try reader.number16(), try reader.number16(), try reader.number16()
            )
            let additional = try reader.number16()
            guard questions == 1, answers == 0, authorities == 0, additional <= 2 else { return fail(.malformed) }
            let start = reader.position
            let name = try reader.name()
            let type = try reader.number16()
            guard try reader.number16() == 1 else { return fail(.refused) }
            // A compressed name in a question would mean another one in the answer.
            let question = Array(bytes[start..<reader.position])
            guard question.count == name.utf8.count + (name.isEmpty ? 1 : 2) + 4 else { return fail(.malformed) }
            var payloadSize: Int?
            for _ in 0..<additional {
                _ = try reader.name()
                let (kind, size) = (try reader.number16(), try reader.number16())
                _ = try reader.number32()
                _ = try reader.take(Int(try reader.number16()))
                if kind == RecordType.options { payloadSize = max(512, Int(size)) }
            }
            return .question(
                NameQuestion(
                    identifier: UInt16(bytes[0]) << 8 | UInt16(bytes[1]), name: name, type: type, question: question,
                    payloadSize: payloadSize, wantsRecursion: bytes[2] & 1 == 1))
        } catch {
            return fail(.malformed)
        }
    }

    /// The same question for another server, under another number.
    func message(identifier: UInt16, payloadSize: Int?) -> [UInt8] {
        var bytes = NameQuestion.bytes(identifier) + [1, 0, 0, 1, 0, 0, 0, 0, 0, payloadSize == nil ? 0 : 1] + question
        if let payloadSize {
            bytes += [0, 0, 41] + NameQuestion.bytes(UInt16(clamping: payloadSize)) + [0, 0, 0, 0, 0, 0]
        }
        return bytes
    }

    /// An answer with these addresses.
    func answer(_ code: AnswerCode, addresses: [[UInt8]] = [], ttl: UInt32 = 0) -> [UInt8] {
        var bytes = NameQuestion.bytes(identifier) + [wantsRecursion ? 0x81 : 0x80, 0x80 | code.rawValue]
        bytes += [0, 1] + NameQuestion.bytes(UInt16(addresses.count)) + [0, 0, 0, 0] + question
        for address in addresses {
            bytes += [0xC0, 12, 0, 1, 0, 1] + NameQuestion.bytes(UInt16(ttl >> 16))
            bytes += NameQuestion.bytes(UInt16(truncatingIfNeeded: ttl)) + [0, 4] + address
        }
        return bytes
    }

    /// What another server said, as the answer to this question.
    func answer(passing bytes: [UInt8]) -> [UInt8] { NameQuestion.bytes(identifier) + bytes.dropFirst(2) }

    /// An answer that says no more than that it would be too large (TC).
    var truncated: [UInt8] {
        var bytes = answer(.success)
        bytes[2] |= 2
        return bytes
    }

    private static func bytes(_ number: UInt16) -> [UInt8] {
        [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
    }
}
