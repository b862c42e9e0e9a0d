internal import IsolationProtocol
internal import SoulBoxModel

/// Answers one question of a sandbox, as its policy allows.
///
/// Of a policy with names only these are answered, with addresses alone, and not before the packet filter lets those
/// through; nothing is asked for others, so that no question carries anything out.
struct NameDesk: Sendable {
    private static let shortestAdmission = 30
    private static let longestAdmission = 3600
    /// How much longer an address is let through than its name is known to mean it: clients keep what they were told.
    private static let grace = 60

    let table: PolicyTable
    let resolver: NameResolver
    let admissions: AdmissionDesk

    /// The answer to a message; nil when it gets none.
    func answer(_ bytes: [UInt8], from address: String, maximum: Int?) async -> [UInt8]? {
        guard let policy = table.policy(at: address) else { return nil }
        let question: NameQuestion
        switch NameQuestion.read(bytes) {
        case .nothing: return nil
        case .failure(let answer): return answer
        case .question(let read): question = read
        }
        guard table.beginQuestion(policy) else { return question.answer(.refused) }
        defer { table.endQuestion(policy) }
        let answer = await answer(question, policy)
        let room = maximum ?? min(question.payloadSize ?? 512, 1232)
        return answer.count <= room ? answer : question.truncated
    }

    /// The addresses of a name for a sandbox, let through.
    func admittedAddresses(of name: String, _ policy: EgressPolicy) async -> (code: AnswerCode, [[UInt8]], ttl: UInt32)
    {
        guard let ports = policy.ports(for: name) else { return (.refused, [], 0) }
        guard let found = await resolver.addresses(of: name) else { return (.failed, [], 0) }
        let reachable = found.addresses.filter { address in
            !AddressRange.neverReachable.contains { $0.contains(address) }
        }.prefix(32)
        guard !reachable.isEmpty else {
            return (found.code == AnswerCode.unknownName.rawValue ? .unknownName : .success, [], found.ttl)
        }
        let seconds = min(
            max(Int(found.ttl), NameDesk.shortestAdmission) + NameDesk.grace, NameDesk.longestAdmission)
        let texts = reachable.map { $0.map(String.init).joined(separator: ".") }
        let isAdmitted = await admissions.admit(
            AddressAdmission(
                sandbox: policy.sandbox, generation: policy.generation, addresses: texts, ports: ports, seconds: seconds
            ))
        guard isAdmitted else { return (.failed, [], 0) }
        table.admit(name, texts, seconds: seconds, for: policy)
        return (.success, Array(reachable), found.ttl)
    }

    private func answer(_ question: NameQuestion, _ policy: EgressPolicy) async -> [UInt8] {
        guard policy.ports(for: question.name) != nil else { return question.answer(.refused) }
        if policy.everything {
            let refused = [
                NameQuestion.RecordType.any, NameQuestion.RecordType.transfer,
                NameQuestion.RecordType.incrementalTransfer,
            ]
            guard !refused.contains(question.type) else { return question.answer(.refused) }
            let answer = await resolver.ask(question, payloadSize: question.payloadSize)
            return answer.map { question.answer(passing: $0.bytes) } ?? question.answer(.failed)
        }
        // Sandboxes have no IPv6, and other records would only be a way to carry something in or out.
        guard question.type == NameQuestion.RecordType.address else { return question.answer(.success) }
        let (code, addresses, ttl) = await admittedAddresses(of: question.name, policy)
        return question.answer(code, addresses: addresses, ttl: ttl)
    }
}
