/// Finds the name that a client of TLS asks for, in the first bytes of its connection (RFC 8446, sections 4.1.2 and 5.1;
/// RFC 6066, section 3). Nothing is decrypted: it is in the clear.
enum ServerName: Equatable {
    /// The bytes so far are the beginning of a greeting.
    case incomplete
    /// The one name that is asked for, in lower case.
    case found(String)
    /// No name is asked for, or the bytes are no greeting.
    case none

    private static let maximumRecord = 16_384 + 256

    /// Looks at everything that has come.
    static func find(in bytes: [UInt8]) -> ServerName {
        var handshake: [UInt8] = []
        var position = 0
        // A greeting may be split over records.
        while true {
            if handshake.count >= 4 {
                let length = Int(handshake[1]) << 16 | Int(handshake[2]) << 8 | Int(handshake[3])
                guard handshake[0] == 1, length <= 65_536 else { return .none }
                if handshake.count >= 4 + length { return name(inGreeting: Array(handshake[4..<(4 + length)])) }
            }
            guard bytes.count >= position + 5 else {
                // What is there already must fit.
                return bytes.count > position && bytes[position] != 22 ? .none : .incomplete
            }
            let length = Int(bytes[position + 3]) << 8 | Int(bytes[position + 4])
            guard bytes[position] == 22, bytes[position + 1] == 3, (1...maximumRecord).contains(length) else {
                return .none
            }
            let end = min(bytes.count, position + 5 + length)
            handshake += bytes[(position + 5)..<end]
            if let first = handshake.first, first != 1 { return .none }
            position += 5 + length
            if position > bytes.count {
                guard handshake.count >= 4 else { return .incomplete }
                let whole = Int(handshake[1]) << 16 | Int(handshake[2]) << 8 | Int(handshake[3])
                return handshake.count >= 4 + whole ? name(inGreeting: Array(handshake[4..<(4 + whole)])) : .incomplete
            }
        }
    }

    private static func name(inGreeting bytes: [UInt8]) -> ServerName {
        var names: [String] = []
        do throws(NameReader.Malformed) {
            var reader = NameReader(bytes)
            _ = try reader.take(2 + 32)
            _ = try reader.take(Int(try byte(&reader)))
            _ = try reader.take(Int(try reader.number16()))
            _ = try reader.take(Int(try byte(&reader)))
            guard reader.position < bytes.count else { return .none }
            let end = Int(try reader.number16()) + reader.position
            guard end == bytes.count else { return .none }
            var seen = false
            while reader.position < end {
                let (type, length) = (try reader.number16(), Int(try reader.number16()))
                let data = try reader.take(length)
                guard type == 0 else { continue }
                guard !seen else { return .none }
                seen = true
                var list = NameReader(Array(data))
                guard Int(try list.number16()) == data.count - 2 else { return .none }
                while list.position < data.count {
                    guard try byte(&list) == 0 else { return .none }
                    names.append(String(decoding: try list.take(Int(try list.number16())), as: UTF8.self))
                }
            }
        } catch {
            return .none
        }
        guard names.count == 1, let name = HostName.normal(names[0]) else { return .none }
        return .found(name)
    }

    private static func byte(_ reader: inout NameReader) throws(NameReader.Malformed) -> UInt8 {
        let slice = try reader.take(1)
        return slice[slice.startIndex]
    }
}
