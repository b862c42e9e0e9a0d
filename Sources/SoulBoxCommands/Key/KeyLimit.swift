import ArgumentParser
import SoulBoxStore

/// `soulbox api-key limit`.
struct KeyLimit: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "limit", abstract: "Give a key other rate limits, at once.")

    @OptionGroup var options: InstanceOptions
    @Argument(help: "The key's id, as key_….") var id: String
    @Option(
        name: .customLong("rate-limit"),
        help: "Requests a minute of a class, as execution=500; 0 is unlimited. May be repeated.")
    var rateLimits: [String]

    func run() throws {
        let limits = try KeyLimit.parse(rateLimits)
        let isChanged = try OperatorDatabase.use(options.instance) { pool in
            try KeyStore(pool).limit(
                id, standard: limits[.standard], execution: limits[.execution], upload: limits[.upload])
        }
        guard isChanged else {
            throw OperatorError("no key of that id: \(id)", advice: "soulbox api-key list shows them.")
        }
        print("limited \(id)")
    }

    /// Limits as they are written on the command line: `CLASS=NUMBER`.
    static func parse(_ texts: [String]) throws -> [RateClass: Int] {
        var limits: [RateClass: Int] = [:]
        for text in texts {
            let parts = text.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let number = Int(parts[1]), (0...1_000_000).contains(number) else {
                throw ValidationError("--rate-limit is not CLASS=NUMBER: \(text)")
            }
            guard let rateClass = RateClass(rawValue: String(parts[0])) else {
                throw ValidationError("unknown class \(parts[0]); known: standard, execution, upload")
            }
            limits[rateClass] = number
        }
        return limits
    }
}
