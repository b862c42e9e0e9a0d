import SoulBoxModel
import Testing
@testable import SoulBoxAPI

@Suite("Executions as JSON")
struct ExecutionJSONTests {
    private func record(_ change: (inout ExecutionRecord) -> Void = { _ in }) -> ExecutionRecord {
        var record = ExecutionRecord(
            id: "exec_1", status: .completed, runtime: .python, template: "basic-python", limits: ExecutionLimits(),
            createdAt: Timestamp(microseconds: 1_701_424_800_000_000))
        record.termination = Termination(reason: .exited)
        record.exitCode = 0
        change(&record)
        return record
    }

    @Test("has every field of the reference, and of its additions, once and in this order")
    func fields() {
        let names = record().json().objectValue?.names
        #expect(
            names == [
                "execution_id", "status", "output", "error", "exit_code", "execution_time", "memory_used",
                "files_created",
                "stdout", "stderr", "output_encoding", "error_encoding", "truncated", "compile", "termination",
                "error_code",
                "cpu_time", "queue_time", "created_at", "started_at", "completed_at", "progress",
            ])
    }

    @Test("the reference's example comes out as printed")
    func reference() {
        let json = record {
            $0.id = "exec_123456"
            $0.stdout.bytes = Array("Hello, World!\n".utf8)
            $0.wallTimeMicroseconds = 125_000
            $0.memoryPeakBytes = 12_345_678
            $0.artifacts = [.init(path: "output.txt", size: 1024, isStored: true)]
        }.json().text
        #expect(
            json.hasPrefix(
                #"{"execution_id":"exec_123456","status":"completed","output":"Hello, World!\n","error":null,"exit_code":0,"#
                    + #""execution_time":0.125,"memory_used":12345678,"files_created":[{"name":"output.txt","size":1024}],"#
            ))
    }

    @Test(
        "output keeps its bytes",
        arguments: [
            ([], false, "", "utf-8"), ([0x61, 0, 0x62], false, "a\u{0}b", "utf-8"), ([0xFF], false, "/w==", "base64"),
            ([0xC3, 0xA9], false, "é", "utf-8"), ([0xC3], false, "ww==", "base64"), ([0x61, 0xC3], true, "a", "utf-8"),
            ([0xF0, 0x9F, 0x98], true, "", "utf-8"), ([0xFF, 0xC3], true, "/8M=", "base64"),
            ([0xC3, 0xA9], true, "é", "utf-8"), ([0xED, 0xA0, 0x80], false, "7aCA", "base64"),
        ] as [([UInt8], Bool, String, String)])
    func encodes(bytes: [UInt8], isTruncated: Bool, text: String, encoding: String) {
        let output = EncodedOutput(.init(bytes: bytes, isTruncated: isTruncated))
        #expect(output.text == text)
        #expect(output.encoding == encoding)
    }

    @Test("standard error is null when empty, and its encoding its own")
    func standardError() {
        #expect(record().json()["stderr"] == .null)
        let json = record { $0.stderr = .init(bytes: [0xFE], isTruncated: true) }.json()
        #expect(json["error"] == "/g==")
        #expect(json["stderr"] == "/g==")
        #expect(json["error_encoding"] == "base64")
        #expect(json["output_encoding"] == "utf-8")
        #expect(json["truncated"] == ["stdout": false, "stderr": true])
    }

    @Test(
        "every end has its code",
        arguments: [
            (TerminationReason.exited, 0, nil), (.exited, 1, "EXECUTION_ERROR"), (.signal, nil, "EXECUTION_ERROR"),
            (.timeout, nil, "EXECUTION_TIMEOUT"), (.oom, nil, "EXECUTION_ERROR"), (.cancelled, nil, nil),
            (.compileError, nil, "EXECUTION_ERROR"), (.lost, nil, "SYSTEM_ERROR"),
        ] as [(TerminationReason, Int?, String?)])
    func errorCodes(reason: TerminationReason, exitCode: Int?, code: String?) {
        let json = record {
            $0.termination = Termination(reason: reason)
            $0.exitCode = exitCode
        }.json()
        #expect(json["error_code"]?.stringValue == code)
        #expect(json["termination"] == ["reason": .string(reason.rawValue), "signal": nil, "detail": nil])
    }

    @Test("compiling is told apart from running")
    func compile() {
        let json = record {
            $0.compile = .init(exitCode: 1, output: .init(bytes: Array("error: x".utf8)), timeMicroseconds: 1_500_000)
            $0.termination = Termination(reason: .signal, signal: "SIGSEGV", detail: "d")
        }.json()
        #expect(json["compile"]?["exit_code"] == 1)
        #expect(json["compile"]?["output"] == "error: x")
        #expect(json["compile"]?["time"] == 1.5)
        #expect(json["termination"]?["signal"] == "SIGSEGV")
    }

    @Test(
        "progress is the share of the timeout",
        arguments: [
            (ExecutionStatus.queued, 5, 0.0), (.running, 0, 0.0), (.running, 15, 0.5), (.running, 300, 0.99),
            (.running, -5, 0.0), (.completed, 5, 1.0), (.failed, 5, 1.0), (.timeout, 5, 1.0), (.cancelled, 5, 1.0),
        ] as [(ExecutionStatus, Int64, Double)])
    func progress(status: ExecutionStatus, seconds: Int64, progress: Double) {
        let record = record {
            $0.status = status
            $0.startedAt = $0.createdAt
        }
        let now = Timestamp(microseconds: record.createdAt.microseconds + seconds * 1_000_000)
        #expect(record.json(now: now)["progress"]?.numberValue == progress)
    }

    @Test("files that were not kept say so, moments are RFC 3339 in UTC")
    func files() {
        let json = record {
            $0.artifacts = [.init(path: "b", size: 2, isStored: true), .init(path: "a", size: 1, isStored: false)]
        }.json()
        #expect(json["files_created"] == [["name": "a", "size": 1, "stored": false], ["name": "b", "size": 2]])
        #expect(json["created_at"] == "2023-12-01T10:00:00.000Z")
        #expect(json["started_at"] == .null)
    }
}
