import Testing

@testable import mapwatch

@Suite("Log lines")
struct LogLineTests {
    private let fields = [("time", "t"), ("level", "info"), ("msg", "two words"), ("empty", ""), ("quote", "a\"b\nc")]

    @Test("logfmt quotes what a reader could mistake")
    func logfmt() {
        #expect(
            String(decoding: LogLine.render(fields, .logfmt), as: UTF8.self)
                == "time=t level=info msg=\"two words\" empty=\"\" quote=\"a\\\"b\\nc\"\n")
    }

    @Test("JSON is one object a line")
    func json() {
        #expect(
            String(decoding: LogLine.render(fields, .json), as: UTF8.self)
                == "{\"time\":\"t\",\"level\":\"info\",\"msg\":\"two words\",\"empty\":\"\",\"quote\":\"a\\\"b\\nc\"}\n"
        )
    }

    @Test("a line break in a value never makes a second line", arguments: [LogFormat.logfmt, .json])
    func oneLine(format: LogFormat) {
        let line = LogLine.render([("msg", "a\nlevel=error msg=forged\u{85}\u{2028}")], format)
        #expect(line.count(where: { $0 == UInt8(ascii: "\n") }) == 1)
        #expect(line.last == UInt8(ascii: "\n"))
    }
}
