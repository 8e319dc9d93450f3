// Raw requests that a server must refuse, each breaking one rule, and legal neighbours that it must not.
//
// `{get}`, `{put}` and `{smuggled}` stand for paths of the listener under test. The texts are Latin-1: `\u{ff}` is the
// byte 0xff. A request that hides another one in its body hides a GET of `{smuggled}`, which no listener may ever see.

/// One raw request.
public struct CorpusRequest: Sendable, CustomStringConvertible {
    /// The rule that it breaks, or what is legal about it.
    public let rule: String
    private let text: String

    init(_ rule: String, _ text: String) {
        self.rule = rule
        self.text = text
    }

    public var description: String { rule }

    /// The bytes to send, for the given paths.
    public func bytes(get: String, put: String, smuggled: String) -> [UInt8] {
        var filled = text
        for (name, path) in [("{get}", get), ("{put}", put), ("{smuggled}", smuggled)] {
            filled = CorpusRequest.replace(name, with: path, in: filled)
        }
        return filled.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    }

    // Over scalars, because CR LF is one `Character`.
    private static func replace(_ name: String, with path: String, in text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while !rest.isEmpty {
            if rest.starts(with: name.unicodeScalars) {
                result.append(contentsOf: path.unicodeScalars)
                rest = rest.dropFirst(name.unicodeScalars.count)
            } else {
                result.append(rest.removeFirst())
            }
        }
        return String(result)
    }
}

/// The requests, by whether they are legal.
public enum RequestCorpus {
    private static let host = "Host: a\r\n"
    private static let hidden = "GET {smuggled} HTTP/1.1\r\nHost: a\r\n\r\n"

    private static func get(_ rule: String, target: String = "{get}", _ lines: String) -> CorpusRequest {
        CorpusRequest(rule, "GET \(target) HTTP/1.1\r\n\(host)\(lines)\r\n")
    }

    private static func target(_ rule: String, _ target: String) -> CorpusRequest {
        get("target: \(rule)", target: target, "")
    }

    private static func host(_ rule: String, _ value: String) -> CorpusRequest {
        CorpusRequest("host: \(rule)", "GET {get} HTTP/1.1\r\nHost:\(value)\r\n\r\n")
    }

    private static func put(_ rule: String, _ lines: String, _ body: String) -> CorpusRequest {
        CorpusRequest(rule, "PUT {put} HTTP/1.1\r\n\(host)\(lines)\r\n\(body)")
    }

    private static func line(_ rule: String, _ head: String) -> CorpusRequest {
        CorpusRequest("request line: \(rule)", "\(head)\r\n\(host)\r\n")
    }

    /// Requests that must not reach a handler.
    public static let hostile: [CorpusRequest] =
        lines + targets + hosts + headers + lengths + encodings + chunks

    private static let lines = [
        line("two spaces before the target", "GET  {get} HTTP/1.1"),
        line("two spaces before the version", "GET {get}  HTTP/1.1"),
        line("a tab for a space", "GET\t{get}\tHTTP/1.1"),
        line("a space at its end", "GET {get} HTTP/1.1 "),
        line("a space at its start", " GET {get} HTTP/1.1"),
        line("a word too many", "GET {get} more HTTP/1.1"),
        line("no version", "GET {get}"),
        line("no target", "GET HTTP/1.1"),
        line("HTTP/1.2", "GET {get} HTTP/1.2"),
        line("HTTP/2.0", "GET {get} HTTP/2.0"),
        line("HTTP/0.9", "GET {get} HTTP/0.9"),
        line("HTTP/1.10", "GET {get} HTTP/1.10"),
        line("HTTP/01.1", "GET {get} HTTP/01.1"),
        line("lower case version", "GET {get} http/1.1"),
        line("another protocol", "GET {get} ICAP/1.1"),
        line("no minor version", "GET {get} HTTP/1"),
        line("a version with a sign", "GET {get} HTTP/+1.1"),
        line("an unknown method", "FROB {get} HTTP/1.1"),
        line("lower case method", "get {get} HTTP/1.1"),
        line("TRACE", "TRACE {get} HTTP/1.1"),
        line("CONNECT", "CONNECT a:80 HTTP/1.1"),
        line("a method that is no token", "G(T {get} HTTP/1.1"),
        line("a method with a NUL", "GE\u{0}T {get} HTTP/1.1"),
        line("a method of 40 letters", "GETGETGETGETGETGETGETGETGETGETGETGETGETG {get} HTTP/1.1"),
        CorpusRequest("request line: a bare line feed", "GET {get} HTTP/1.1\nHost: a\r\n\r\n"),
        CorpusRequest("request line: a bare carriage return", "GET {get} HTTP/1.1\rHost: a\r\n\r\n"),
        CorpusRequest("request line: spaces and a bare line feed in balance", "GET  {get} HTTP/1.1\nHost: a\r\n\r\n"),
    ]

    private static let targets = [
        target("absolute form", "http://a{get}"),
        target("an asterisk", "*"),
        target("no slash", "metrics"),
        target("a fragment", "{get}#a"),
        target("an escaped NUL out of place", "{get}%0"),
        target("an escape that is not hex", "{get}%zz"),
        target("a lone percent sign", "{get}%"),
        target("a raw byte over 0x7e", "{get}\u{e9}"),
        target("a DEL", "{get}\u{7f}"),
        target("a control byte", "{get}\u{1}"),
        target("a NUL", "{get}\u{0}"),
        target("a NUL in the query", "{get}?a=\u{0}b"),
        target("65 query items", "{get}?" + Array(repeating: "a=b", count: 65).joined(separator: "&")),
        target("over 8 KiB", "/" + String(repeating: "a", count: 8192)),
    ]

    private static let hosts = [
        CorpusRequest("host: none", "GET {get} HTTP/1.1\r\n\r\n"),
        CorpusRequest("host: twice", "GET {get} HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"),
        CorpusRequest("host: twice, in HTTP/1.0", "GET {get} HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n"),
        host("empty", ""),
        host("a list", " a,b"),
        host("a space within", " a b"),
        host("a user", " user@a"),
        host("a path", " a/b"),
        host("a port that is no number", " a:http"),
        host("two ports", " a:80:80"),
        host("an open bracket", " [::1"),
        host("a byte over 0x7e", " \u{e9}"),
        host("white space after it", " a "),
    ]

    private static let headers = [
        CorpusRequest("header: a bare line feed", "GET {get} HTTP/1.1\r\nHost: a\nX: y\r\n\r\n"),
        CorpusRequest("header: only bare line feeds", "GET {get} HTTP/1.1\nHost: a\n\n"),
        CorpusRequest("header: a bare line feed at the end", "GET {get} HTTP/1.1\r\nHost: a\r\n\n"),
        get("header: a bare carriage return in a value", "X: a\rb\r\n"),
        get("header: a folded line", "X: a\r\n b\r\n"),
        get("header: a folded line with a tab", "X: a\r\n\tb\r\n"),
        CorpusRequest("header: a folded first line", "GET {get} HTTP/1.1\r\n X: a\r\nHost: a\r\n\r\n"),
        get("header: a space before the colon", "X : a\r\n"),
        get("header: a tab before the colon", "X\t: a\r\n"),
        get("header: no colon", "X\r\n"),
        get("header: an empty name", ": a\r\n"),
        get("header: a name that is no token", "X(Y): a\r\n"),
        get("header: a name with a NUL", "X\u{0}Y: a\r\n"),
        get("header: a name over 0x7e", "X\u{e9}: a\r\n"),
        get("header: a NUL in a value", "X: a\u{0}b\r\n"),
        get("header: a control byte in a value", "X: a\u{1}b\r\n"),
        get("header: a DEL in a value", "X: a\u{7f}b\r\n"),
        get("header: 101 lines", (0..<100).map { "X\($0): a\r\n" }.joined()),
        get("header: an expectation that nobody knows", "Expect: a-miracle\r\n"),
        get("header: two expectations in one", "Expect: 100-continue, a-miracle\r\n"),
    ]

    private static let lengths = [
        put("length: twice the same", "Content-Length: 1\r\nContent-Length: 1\r\n", "a"),
        put("length: twice, not the same", "Content-Length: 1\r\nContent-Length: 2\r\n", "ab"),
        put("length: a list", "Content-Length: 1, 1\r\n", "a"),
        put("length: a plus sign", "Content-Length: +1\r\n", "a"),
        put("length: negative", "Content-Length: -1\r\n", "a"),
        put("length: hexadecimal", "Content-Length: 0x1\r\n", "a"),
        put("length: over 64 bits", "Content-Length: 18446744073709551617\r\n", "a"),
        put("length: empty", "Content-Length:\r\n", "a"),
        put("length: a word after it", "Content-Length: 1 1\r\n", "a"),
        put("length: white space after it", "Content-Length: 1 \r\n", "a"),
        put("length: a space before the colon", "Content-Length : 40\r\n", hidden),
        put("length: folded", "Content-Length:\r\n 40\r\n", hidden),
        put("length: a name that begins alike", "Content-Length-Of-It: 40\r\n", hidden),
        put("length: with chunks", "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n\(hidden)"),
        put("length: with chunks first", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n\(hidden)"),
    ]

    private static let encodings = [
        put("encoding: gzip, chunked", "Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"),
        put("encoding: chunked twice in a list", "Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
        put(
            "encoding: chunked twice in two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n"),
        put(
            "encoding: chunked, then identity", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "0\r\n\r\n"),
        put("encoding: identity", "Transfer-Encoding: identity\r\n", hidden),
        put("encoding: quoted", "Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"),
        put("encoding: with a parameter", "Transfer-Encoding: chunked;a=b\r\n", "0\r\n\r\n"),
        put("encoding: a vertical tab before it", "Transfer-Encoding: \u{b}chunked\r\n", "0\r\n\r\n\(hidden)"),
        put("encoding: white space after it", "Transfer-Encoding: chunked \r\n", "0\r\n\r\n"),
        put("encoding: folded", "Transfer-Encoding:\r\n chunked\r\n", "0\r\n\r\n\(hidden)"),
        put("encoding: a space before the colon", "Transfer-Encoding : chunked\r\n", "0\r\n\r\n\(hidden)"),
        put("encoding: a name that begins alike", "Transfer-Encodings: chunked\r\n", "0\r\n\r\n\(hidden)"),
        put("encoding: an unknown one", "Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
        CorpusRequest(
            "encoding: in HTTP/1.0", "PUT {put} HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ]

    private static func chunked(_ rule: String, _ body: String) -> CorpusRequest {
        put("chunk: \(rule)", "Transfer-Encoding: chunked\r\n", body)
    }

    private static let chunks = [
        chunked("a size with a sign", "+1\r\na\r\n0\r\n\r\n"),
        chunked("a size with 0x", "0x1\r\na\r\n0\r\n\r\n"),
        chunked("a size that is no number", "g\r\na\r\n0\r\n\r\n"),
        chunked("a negative size", "-1\r\na\r\n0\r\n\r\n"),
        chunked("a size over 64 bits", "10000000000000001\r\na\r\n0\r\n\r\n"),
        chunked("no size", "\r\na\r\n0\r\n\r\n"),
        chunked("more bytes than its size", "1\r\nab\r\n0\r\n\r\n"),
        chunked("a space before the size", " 1\r\na\r\n0\r\n\r\n"),
        chunked("a bare line feed after the size", "1\na\r\n0\r\n\r\n"),
        chunked("a bare line feed after the bytes", "1\r\na\n0\r\n\r\n"),
        chunked("a bare carriage return after the size", "1\ra\r\n0\r\n\r\n"),
    ]

    /// Requests that must be answered with a success.
    public static let legal = [
        get("a plain GET", ""),
        CorpusRequest("HTTP/1.0 without Host", "GET {get} HTTP/1.0\r\n\r\n"),
        CorpusRequest("HTTP/1.0 with Host", "GET {get} HTTP/1.0\r\nHost: a\r\n\r\n"),
        CorpusRequest("empty lines before the request", "\r\n\r\nGET {get} HTTP/1.1\r\nHost: a\r\n\r\n"),
        host("no space before it", "a"),
        host("many spaces before it", "   a"),
        host("a tab before it", "\ta"),
        host("a port", " example.org:10197"),
        host("an IPv4 address", " 127.0.0.1:1"),
        host("an IPv6 address", " [::1]:10197"),
        host("an empty port", " a:"),
        host("an underscore", " my_service-1"),
        CorpusRequest("host: in lower case", "GET {get} HTTP/1.1\r\nhost: a\r\n\r\n"),
        get("a query", target: "{get}?a=1&b=%26&c", ""),
        get("64 query items", target: "{get}?" + Array(repeating: "a=b", count: 64).joined(separator: "&"), ""),
        get("an empty value", "X:\r\n"),
        get("an empty value after a space", "X: \r\n"),
        get("a tab within a value", "X: a\tb\r\n"),
        get("a byte over 0x7e in a value", "X: \u{e9}\r\n"),
        get("every character of a token", "!#$%&'*+-.^_`|~09azAZ: a\r\n"),
        get("100 lines", (0..<99).map { "X\($0): a\r\n" }.joined()),
        get("a value with commas and quotes", "Accept: text/plain;q=0.5, \"a\" , */*\r\n"),
        get("what browsers send", "Cookie: a=b; c=d\r\nUser-Agent: Mozilla/5.0 (X11; Linux)\r\nTE: trailers\r\n"),
        put("length: plain", "Content-Length: 1\r\n", "a"),
        put("length: zero", "Content-Length: 0\r\n", ""),
        put("length: leading zeros", "Content-Length: 001\r\n", "a"),
        put("encoding: in capitals", "TRANSFER-ENCODING: Chunked\r\n", "1\r\na\r\n0\r\n\r\n"),
        chunked("one", "1\r\na\r\n0\r\n\r\n"),
        chunked("a size with leading zeros", "0001\r\na\r\n0\r\n\r\n"),
        chunked("an extension", "1;name=value\r\na\r\n0\r\n\r\n"),
        chunked("a trailer", "1\r\na\r\n0\r\nX: y\r\n\r\n"),
        put("an expectation with its body behind it", "Expect: 100-continue\r\nContent-Length: 1\r\n", "a"),
    ]
}
