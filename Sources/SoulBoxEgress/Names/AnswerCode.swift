/// How an answer of the domain name system went (RFC 1035, section 4.1.1, RCODE).
enum AnswerCode: UInt8, Sendable {
    case success = 0
    case malformed = 1
    case failed = 2
    case unknownName = 3
    case notImplemented = 4
    case refused = 5
}
