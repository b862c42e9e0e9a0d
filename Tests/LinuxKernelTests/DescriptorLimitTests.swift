import Foundation
import LinuxKernel
import Testing

@Suite("Limit of descriptors")
struct DescriptorLimitTests {
    @Test("is raised to what is allowed, and not above")
    func raise() throws {
        DescriptorLimit.raise()
        let line = try #require(
            String(contentsOfFile: "/proc/self/limits", encoding: .utf8).split(separator: "\n")
                .first { $0.hasPrefix("Max open files") })
        let numbers = line.split(separator: " ").compactMap { Int($0) }
        #expect(numbers.count == 2 && numbers[0] == numbers[1] && DescriptorLimit.current == numbers[0], "\(line)")
    }
}
