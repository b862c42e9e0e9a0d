import Foundation

/// A program of the system's, run to its end.
struct Tool {
    let path: String
    let arguments: [String]
    var user: ServiceAccount?

    init(_ path: String, _ arguments: [String]) {
        self.path = path
        self.arguments = arguments
    }

    /// Runs it; an exit code other than 0 is an error that shows what it printed.
    @discardableResult
    func run(advice: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardError = pipe
        process.standardInput = FileHandle.nullDevice
        do {
            try process.run()
        } catch {
            throw OperatorError("\(path) cannot be run: \(error.localizedDescription)", advice: advice)
        }
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            let name = URL(filePath: path).lastPathComponent
            throw OperatorError(
                "\(name) failed (\(process.terminationStatus)): \(output.suffix(2000))", advice: advice)
        }
        return output
    }
}
