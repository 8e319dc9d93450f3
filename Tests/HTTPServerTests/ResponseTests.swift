import HTTPServer
import Testing

@Suite("Responses")
struct ResponseTests {
    private static let escapes: [(String, String)] = [
        ("plain", #""plain""#),
        ("a \"quote\"", #""a \"quote\"""#),
        ("back\\slash", #""back\\slash""#),
        ("\u{8}\t\n\u{c}\r", #""\b\t\n\f\r""#),
        ("\0\u{1}\u{1f}\u{7f}", #""\u0000\u0001\u001f\u007f""#),
        ("é/😀", #""é/😀""#),
    ]

    @Test("problem JSON escapes quotes, backslashes and control bytes", arguments: escapes)
    func escaping(text: String, json: String) {
        let response = HTTPResponse.problem(422, text, text)
        let expected = "{\"type\":\"about:blank\",\"title\":\(json),\"status\":422,\"detail\":\(json)}\n"
        #expect(String(decoding: response.body, as: UTF8.self) == expected)
        #expect(response.status == 422)
        #expect(response.headers.map(\.name) == ["Content-Type"])
        #expect(response.headers.first?.value == "application/problem+json")
    }

    @Test("a problem carries Retry-After when it is given one")
    func retryAfter() {
        let response = HTTPResponse.problem(429, "Too Many Requests", "slow down", retryAfter: 7)
        #expect(response.headers.last?.name == "Retry-After")
        #expect(response.headers.last?.value == "7")
    }
}
