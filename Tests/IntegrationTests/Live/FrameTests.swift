import Foundation
import SoulBoxModel
import Testing

extension LiveTests {
    /// RFC 6455 through the real web server, byte by byte.
    @Suite("The protocol", .serialized)
    struct Frames {
        /// What the client is told, by the name of the case in `protocol.py`.
        private static let closes: [Int?: [String]] = [
            1002: [
                "ping_126", "ping_fragmented", "close_fragmented", "close_126", "unmasked", "unmasked_ping",
                "unmasked_close", "reserved_1", "reserved_2", "reserved_3", "reserved_all", "opcode_3", "opcode_7",
                "opcode_11", "opcode_15", "continuation_alone", "continuation_after_message", "message_within_message",
                "close_1_byte", "close_0", "close_999", "close_1004", "close_1005", "close_1006", "close_1015",
                "close_2999", "close_5000",
            ],
            1003: ["binary"],
            1007: [
                "utf8_invalid", "utf8_across_fragments", "utf8_surrogate", "utf8_overlong", "utf8_beyond",
                "utf8_cut_short", "close_reason_not_utf8",
            ],
            1008: ["ping_flood"],
            1009: ["length_63_bits", "too_large_frame", "too_large_message", "fragments_without_end"],
            1000: ["close_1000", "close_reason_123", "message_after_close", "close_after_half_message"],
            1001: ["close_1001"], 3000: ["close_3000"], 4999: ["close_4999"],
            nil: ["close_empty"],
        ]

        private static let taken = [
            "text", "text_bytewise_frames", "text_bytewise_socket", "split_character", "empty_fragments",
            "ping_between_fragments", "pong_unasked", "ping_empty", "ping_125", "pings_10", "large_whole",
            "large_fragments", "long_length_form",
        ]

        @Test("frames in order are taken, others end the connection with their code, and no frame follows a close")
        func cases() async throws {
            let found = try await LiveClient.run("protocol", "cases", on: LiveStack.shared, seconds: 90)
            #expect(
                Set(found.objectValue?.names ?? [])
                    == Set(Frames.taken + Frames.closes.values.flatMap { $0 }))
            for (code, names) in Frames.closes {
                for name in names {
                    let frames = found[name]?["frames"]?.items ?? []
                    let last = frames.last ?? .null
                    #expect(last["close"] == code.map { JSONValue($0) } ?? .null, "\(name): \(found[name]?.text ?? "")")
                    #expect(frames.count { $0.objectValue?.names.contains("close") == true } == 1, "\(name)")
                    #expect(found[name]?["end"] != "open", "\(name)")
                    #expect((last["reason"]?.string.utf8.count ?? 0) <= 123)
                }
            }
            for name in Frames.taken {
                let frames = found[name]?["frames"]?.items ?? []
                // There is no execution that the message could mean; what follows is heard too.
                let told = frames.compactMap { $0["text"]?.code }

                #expect(
                    told == ["RESOURCE_NOT_FOUND", "VALIDATION_ERROR"],
                    "\(name): \(found[name]?.text.prefix(600) ?? "")")
                #expect(frames.last?["close"] == 1000 && found[name]?["end"] == "closed", "\(name)")
            }
            func pongs(_ name: String) -> [String] {
                (found[name]?["frames"]?.items ?? []).filter { $0["opcode"] == 10 }.map { $0["payload"]?.string ?? "" }
            }
            #expect(pongs("ping_between_fragments") == ["between"] && pongs("ping_empty") == [""])
            #expect(pongs("ping_125") == [String(repeating: "\u{FE}", count: 125)])
            #expect(pongs("pings_10") == (0..<10).map { "\($0)" } && pongs("pong_unasked").isEmpty)
        }

        @Test("a connection that is closed for a mistake says nothing more, and its execution can be come back to")
        func afterClose() async throws {
            let found = try await LiveClient.run("protocol", "silence_after_close", on: LiveStack.shared)
            #expect(found["after"] == [] && found["end"] == "closed", "\(found.text.prefix(500))")
            #expect(found["back"]?["status"] == "completed")
            #expect(found["text"]?.string == (0..<3000).map { "\($0)\n" }.joined())
        }
    }
}
