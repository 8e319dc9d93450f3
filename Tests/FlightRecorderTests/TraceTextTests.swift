import FlightRecorder
import Testing

@Suite("The trace of a map as text")
struct TraceTextTests {
    private static let operation = RecordedOperation(
        timeNanosecondsSince1970: 1_772_366_400_250_000_000, caller: "billing \"x\"\n", thread: 42, map: "orders",
        shard: 7, number: 12, operation: .delete, keyHash: 0xaf63_dc4c_8601_ec8c, durationNanoseconds: 150,
        outcome: .miss)

    @Test("an idle map prints the articles' line with its English")
    func idle() {
        #expect(TraceText.text([]) == "无map异常轨迹 (no trace of map accidents)\n")
    }

    @Test("an operation is one JSON object with the articles' code")
    func json() {
        #expect(
            TraceText.json(Self.operation)
                == #"{"time":"2026-03-01T12:00:00.250Z","map":"orders","shard":7,"number":12,"operation":"delete","#
                + #""op_type":2,"outcome":"miss","key_hash":"af63dc4c8601ec8c","duration_ns":150,"thread":42,"#
                + #""caller":"billing \"x\"\u000a"}"#)
    }

    @Test("an operation is one line under a head")
    func row() {
        let lines = TraceText.text([Self.operation]).split(separator: "\n")
        #expect(lines.first?.hasPrefix("time (UTC)") == true)
        #expect(lines[1].hasPrefix("2026-03-01T12:00:00.250Z   7      delete      miss      af63dc4c8601ec8c  150"))
    }

    @Test("codes of a later release stay readable", arguments: [(1, "update"), (2, "delete"), (200, "operation-200")])
    func codes(code: UInt8, text: String) {
        #expect(OperationCode(rawValue: code).description == text)
    }

    @Test(
        "instants are the calendar's",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (951_782_400_999_999_999, "2000-02-29T00:00:00.999Z"),
            (1_709_251_199_000_000_000, "2024-02-29T23:59:59.000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000Z"),
        ])
    func instants(nanoseconds: UInt64, text: String) {
        let operation = RecordedOperation(
            timeNanosecondsSince1970: nanoseconds, caller: "", thread: 0, map: "m", shard: 0, number: 1,
            operation: .update, keyHash: 0, durationNanoseconds: 0, outcome: .hit)
        #expect(TraceText.json(operation).contains(text))
    }
}
