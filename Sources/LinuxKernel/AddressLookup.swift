internal import Glibc

/// Names of hosts, as this machine resolves them.
public enum AddressLookup {
    /// The addresses of a name, 4 or 16 bytes each, in the order in which they should be tried (getaddrinfo(3), RFC 6724).
    /// Empty when the name has none, or nobody who knows answers.
    ///
    /// Takes as long as the machine's resolver does: by resolv.conf(5) up to half a minute.
    public static func addresses(of name: String) -> [[UInt8]] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_ADDRCONFIG
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(name, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var addresses: [[UInt8]] = []
        var next = list
        while let entry = next?.pointee {
            next = entry.ai_next
            guard let address = bytes(entry), !addresses.contains(address) else { continue }
            addresses.append(address)
        }
        return addresses
    }

    private static func bytes(_ entry: addrinfo) -> [UInt8]? {
        guard let pointer = UnsafeRawPointer(entry.ai_addr) else { return nil }
        switch entry.ai_family {
        case AF_INET:
            guard Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in>.size else { return nil }
            return withUnsafeBytes(of: pointer.loadUnaligned(as: sockaddr_in.self).sin_addr) { Array($0) }
        case AF_INET6:
            guard Int(entry.ai_addrlen) >= MemoryLayout<sockaddr_in6>.size else { return nil }
            return withUnsafeBytes(of: pointer.loadUnaligned(as: sockaddr_in6.self).sin6_addr) { Array($0) }
        default: return nil
        }
    }

    /// Whether an address of 4 or 16 bytes is one of this machine's own: whether a socket can have it (bind(2)).
    ///
    /// Where sockets can have any address (`ip_nonlocal_bind`, ip(7)) nobody can tell, and none is.
    public static func isOwn(_ address: [UInt8]) -> Bool { canBind(address) && !canBind([192, 0, 2, 1]) }

    private static func canBind(_ address: [UInt8]) -> Bool {
        let isVersion6 = address.count == 16
        let raw = socket(isVersion6 ? AF_INET6 : AF_INET, CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { return false }
        defer { close(raw) }
        if isVersion6 {
            var place = sockaddr_in6()
            place.sin6_family = sa_family_t(AF_INET6)
            withUnsafeMutableBytes(of: &place.sin6_addr) { $0.copyBytes(from: address) }
            return isBound(raw, &place)
        }
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        withUnsafeMutableBytes(of: &place.sin_addr) { $0.copyBytes(from: address) }
        return isBound(raw, &place)
    }

    private static func isBound<Address>(_ descriptor: CInt, _ address: inout Address) -> Bool {
        withUnsafeMutableBytes(of: &address) { bytes in
            guard let generic = bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self) else { return false }
            return bind(descriptor, generic, socklen_t(bytes.count)) == 0
        }
    }
}
