internal import IsolationProtocol
internal import SoulBoxModel

/// What one sandbox may reach, as elements of the sets of `NetworkRules`.
///
/// Everything hangs on the mark: a changed policy has another one, and what was admitted for the old mark means nothing
/// from the moment that `marks` gives the new one.
struct NetworkPolicy: Sendable {
    /// The sandbox's end of its link as the rules see it.
    let link: String
    let address: String
    /// Unique among the policies of the host.
    let mark: UInt32
    let network: SandboxNetwork

    /// The first byte of all marks; the others count policies.
    static let markPrefix: UInt32 = 0x5B00_0000

    /// The elements, by set.
    var elements: [(set: String, element: String)] {
        var result = [(set: "marks", element: "\"\(link)\" . \(address) : \(markText)")]
        if network.isOpen { result.append(("open", markText)) }
        for (port, ranges) in ranges {
            for span in AddressSpans(ranges).texts {
                result.append(
                    port.map { ("range_ports", "\(markText) . \(span) . \($0)") } ?? ("ranges", "\(markText) . \(span)")
                )
            }
        }
        return result
    }

    /// The sets that the kernel puts elements of this mark into by itself.
    static let dynamicSets = ["refused", "flows", "openings", "questions", "sent", "received"]

    /// As nft(8) writes it.
    var markText: String { String(format: mark) }

    private var ranges: [(port: UInt16?, ranges: [AddressRange])] {
        var byPort: [UInt16?: [AddressRange]] = [:]
        for host in network.allowedHosts {
            if case .network(let range) = host.target { byPort[host.port, default: []].append(range) }
        }
        // In one order, so that the same policy is the same commands.
        return byPort.sorted { ($0.key ?? 0) < ($1.key ?? 0) }.map { ($0.key, $0.value) }
    }
}

extension String {
    fileprivate init(format mark: UInt32) { self = "0x" + String(mark, radix: 16) }
}
