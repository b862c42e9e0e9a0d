/// Bytes that are nearly right, always the same ones for a seed.
struct Noise {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// The next number below a bound.
    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    /// The model with a few bytes changed, cut off or added.
    mutating func mutate(_ model: [UInt8]) -> [UInt8] {
        var bytes = model
        for _ in 0..<next(4) {
            switch next(4) {
            case 0: bytes = Array(bytes.prefix(next(bytes.count + 1)))
            case 1: bytes.insert(UInt8(next(256)), at: next(bytes.count + 1))
            default: if !bytes.isEmpty { bytes[next(bytes.count)] = UInt8(next(256)) }
            }
        }
        return bytes
    }
}
