import DataDocuments
import Testing

@Suite("Batch")
struct BatchOperationTests {
    @Test("each operation is read, as text or in base64")
    func goodLines() throws {
        let body = """
            {"op":"put","key":"a","value":"1"}
            {"op":"put","key64":"/wA=","value64":"AAE="}
            {"op":"get","key":"a"}
            {"op":"delete","key":"ä"}
            {"op":"put","key":"a","value":"1","ttl_seconds":60}

            """
        #expect(
            try BatchOperation.parse(Array(body.utf8)) == [
                .put(key: [0x61], value: [0x31]), .put(key: [0xff, 0], value: [0, 1]), .get(key: [0x61]),
                .delete(key: [0xc3, 0xa4]), .put(key: [0x61], value: [0x31], ttlSeconds: 60),
            ])
        #expect(try BatchOperation.parse([]).isEmpty)
    }

    @Test(
        "a bad line is named with its number and its value",
        arguments: [
            ("nonsense", "line 2: this is not valid JSON: nonsense"),
            ("", "line 2: this is not valid JSON: "),
            ("[1]", "line 2: expected an object, not a list"),
            (#"{"key":"a"}"#, "line 2: \"op\" is missing"),
            (#"{"op":"putt","key":"a"}"#, "line 2: op \"putt\" is unknown; known are put, get, delete"),
            (#"{"op":7,"key":"a"}"#, "line 2: \"op\" must be a text, not 7"),
            (#"{"op":"get"}"#, "line 2: \"key\" is missing"),
            (#"{"op":"get","key":""}"#, "line 2: the key is 0 bytes long; keys are 1 to 1024 bytes"),
            (#"{"op":"put","key":"a"}"#, "line 2: a put needs a \"value\""),
            (#"{"op":"get","key":"a","value":"b"}"#, "line 2: a get takes no \"value\""),
            (#"{"op":"delete","key":"a","value":"b"}"#, "line 2: a delete takes no \"value\""),
            (#"{"op":"get","key":"a","key64":"YQ=="}"#, "line 2: \"key\" and \"key64\" cannot both be given"),
            (#"{"op":"get","key64":"*"}"#, "line 2: \"key64\" is not base64: \"*\""),
            (
                #"{"op":"get","key":"a","ttl":4}"#,
                "line 2: field \"ttl\" is unknown; known are op, key, key64, value, value64, ttl_seconds"
            ),
            (#"{"op":"get","key":"a","ttl_seconds":4}"#, "line 2: a get takes no \"ttl_seconds\""),
            (
                #"{"op":"put","key":"a","value":"b","ttl_seconds":0}"#,
                "line 2: \"ttl_seconds\" must be a whole number of seconds, 1 to 31536000, not 0"
            ),
            (
                #"{"op":"put","key":"a","value":"b","ttl_seconds":"4"}"#,
                "line 2: \"ttl_seconds\" must be a whole number of seconds, 1 to 31536000, not \"4\""
            ),
        ])
    func badLine(line: String, expected: String) {
        let body = "{\"op\":\"get\",\"key\":\"a\"}\n\(line)\n{\"op\":\"get\",\"key\":\"a\"}\n"
        do {
            _ = try BatchOperation.parse(Array(body.utf8))
            Issue.record("the line was taken")
        } catch {
            #expect(error.description == expected)
        }
    }

    @Test("keys and values over their limits are refused with their sizes")
    func limits() throws {
        let longKey = String(repeating: "k", count: 1025)
        let longValue = String(repeating: "v", count: EntryLimits.maximumValueBytes + 1)
        for (line, expected) in [
            (#"{"op":"get","key":"\#(longKey)"}"#, "line 1: the key is 1025 bytes long; keys are 1 to 1024 bytes"),
            (
                #"{"op":"put","key":"a","value":"\#(longValue)"}"#,
                "line 1: the value is 1048577 bytes long; values are at most 1048576 bytes"
            ),
        ] {
            do {
                _ = try BatchOperation.parse(Array(line.utf8))
                Issue.record("the line was taken")
            } catch {
                #expect(error.description == expected)
            }
        }
    }
}
