import TestSupport
import Testing

@testable import HTTPServer

@Suite("Access")
struct AccessTests {
    /// bcrypt of "secret" and "other", at the lowest cost.
    private static let secret = "$2y$04$aaaaaaaaaaaaaaaaaaaaaOGY9KrC7e/pHj3EXQPxs8hKEBbvQhsvG"
    private static let other = "$2b$04$bbbbbbbbbbbbbbbbbbbbbOjAVgMHb.yPcya7y5sfKzrRvEjwvAJyG"

    static var hash: String { secret }

    private func settings(_ users: [String: String], headers: [AccessSettings.Header] = []) -> AccessSettings {
        var settings = AccessSettings()
        settings.users = users
        settings.headers = headers
        return settings
    }

    private func fixture(_ access: AccessControl) throws -> Fixture {
        try Fixture(
            [
                Route(.get, "/", name: "index") { _, _ in .text("index") },
                Route(.get, "/-/healthy", name: "healthy") { _, _ in .text("healthy") },
                echoRoute(),
            ], access: access, openPaths: ["/-/healthy"])
    }

    private static let attempts: [(String?, Int)] = [
        (nil, 401),
        ("Basic \(base64("prom:secret"))", 200),
        ("basic   \(base64("prom:secret"))", 200),
        ("Basic \(base64("prom:Secret"))", 401),
        ("Basic \(base64("prom:"))", 401),
        ("Basic \(base64("prom"))", 401),
        ("Basic \(base64("nobody:secret"))", 401),
        ("Basic \(base64(":secret"))", 401),
        ("Basic \(base64("prom:secret\0"))", 401),
        ("Basic", 401),
        ("Basic !!!!", 401),
        ("Bearer \(base64("prom:secret"))", 401),
        ("Basic \(base64("prom:secret")) x", 401),
        ("Basic \(base64("zoe:other"))", 200),
        ("Basic \(base64("zoe:secret"))", 401),
    ]

    @Test("a user with the right password is let in, nobody else", arguments: attempts)
    func basic(authorization: String?, status: Int) throws {
        let fixture = try fixture(AccessControl(settings(["prom": Self.secret, "zoe": Self.other])))
        let headers = authorization.map { [("Authorization", $0)] } ?? []
        let connection = try fixture.connect()
        let answer = try connection.request("GET", "/", headers: headers)
        #expect(answer.status == status)
        #expect((answer.header("WWW-Authenticate") != nil) == (status == 401))
        #expect(answer.text == "index" || answer.header("WWW-Authenticate")?.hasPrefix("Basic realm=") == true)
        #expect(fixture.server.statistics.refused[.unauthorized] == (status == 401 ? 1 : 0))
        // A refused body is read to its end, so that the connection lives.
        #expect(try connection.request("PUT", "/echo", headers: headers, body: [1]).status == status)
        #expect(try connection.request("GET", "/-/healthy").text == "healthy")
    }

    @Test("health paths are open as they stand, not in other spellings")
    func openPaths() throws {
        let fixture = try fixture(AccessControl(settings(["prom": Self.secret])))
        let connection = try fixture.connect()
        #expect(try connection.request("GET", "/-/healthy?a=b").status == 200)
        for path in ["/%2D/healthy", "/-/healthy/", "/-/Healthy", "/nothing"] {
            #expect(try connection.request("GET", path).status == 401, "\(path)")
        }
    }

    @Test("two Authorization lines are no credentials")
    func twoLines() throws {
        let fixture = try fixture(AccessControl(settings(["prom": Self.secret])))
        let line = ("Authorization", "Basic \(base64("prom:secret"))")
        #expect(try fixture.connect().request("GET", "/", headers: [line, line]).status == 401)
    }

    @Test("new rules hold for the next request of an open connection")
    func exchange() throws {
        let access = try AccessControl(settings([:]))
        let fixture = try fixture(access)
        let connection = try fixture.connect()
        #expect(try connection.request("GET", "/").status == 200)
        let frame = AccessSettings.Header(name: "X-Frame-Options", value: "deny")
        access.apply(try access.prepare(settings(["prom": Self.secret], headers: [frame])))
        let refused = try connection.request("GET", "/")
        #expect(refused.status == 401)
        #expect(refused.header("X-Frame-Options") == "deny")
        let headers = [("Authorization", "Basic \(base64("prom:secret"))")]
        let answer = try connection.request("GET", "/", headers: headers)
        #expect(answer.status == 200)
        #expect(answer.header("X-Frame-Options") == "deny")
        // A remembered password is forgotten with its hash.
        access.apply(try access.prepare(settings(["prom": Self.other])))
        #expect(try connection.request("GET", "/", headers: headers).status == 401)
    }

    @Test("TLS is not turned on by new rules")
    func noTLS() throws {
        let access = try AccessControl(settings([:]))
        var wanted = settings([:])
        wanted.tls = TLSSettings(certificate: [], key: [])
        let error = #expect(throws: HTTPServerError.self) { try access.prepare(wanted) }
        #expect(error?.description == "tls_server_config: TLS cannot be turned on by a reload; restart")
    }

    @Test("a certificate that is none is an error")
    func noCertificate() {
        var wanted = settings([:])
        wanted.tls = TLSSettings(certificate: Array("x".utf8), key: Array("y".utf8))
        let error = #expect(throws: HTTPServerError.self) { try AccessControl(wanted) }
        #expect(error?.kind == .invalidTLS)
        #expect(error?.description.hasPrefix("certificate and key: ") == true)
    }
}

@Suite("Passwords")
struct PasswordTests {
    private static let users = ["prom": AccessTests.hash]

    private func check(_ checker: PasswordChecker, _ text: String, from address: String = "a") -> PasswordChecker
        .Verdict?
    {
        BasicCredentials("Basic \(base64(text))").map { checker.check($0, Self.users, from: address) }
    }

    @Test("5 wrong attempts of an address are computed at once, then one a second; others are not held up")
    func limit() {
        let time = Monitor<UInt64>(1_000_000_000)
        let checker = PasswordChecker(now: { time.withLock { $0 } })
        #expect(check(checker, "prom:secret") == .right)
        for _ in 0..<5 { #expect(check(checker, "prom:wrong") == .wrong) }
        #expect(check(checker, "prom:wrong") == .tooManyAttempts)
        #expect(check(checker, "nobody:wrong") == .tooManyAttempts)
        // Remembered, and so free of the limit; another address has its own.
        #expect(check(checker, "prom:secret") == .right)
        #expect(check(checker, "prom:wrong", from: "b") == .wrong)
        time.withLock { $0 += 1_000_000_000 }
        #expect(check(checker, "prom:wrong") == .wrong)
        #expect(check(checker, "prom:wrong") == .tooManyAttempts)
    }

    @Test("a flood of wrong passwords from many addresses computes for a second and then for a quarter of the time")
    func flood() {
        let time = Monitor<UInt64>(1_000_000_000)
        // Every look at the clock is 10 ms later: a check takes 10 ms of computing, and 40 ms with what is around it.
        let checker = PasswordChecker(now: {
            time.withLock { time in
                time += 10_000_000
                return time
            }
        })
        #expect(check(checker, "prom:secret", from: "scraper") == .right)
        let verdicts = (0..<2000).map { check(checker, "prom:wrong", from: "\($0)") }
        #expect(verdicts.prefix(100).allSatisfy { $0 == .wrong })
        // All that is computed fits into the allowance, and each attempt past it was told so at once.
        let seconds = Double(time.withLock { $0 } - 1_000_000_000) / 1e9
        let computed = Double(verdicts.count { $0 == .wrong }) * 0.01
        #expect(computed <= 1.02 + seconds / 4)
        #expect(verdicts.allSatisfy { $0 == .wrong || $0 == .busy })
        #expect(check(checker, "prom:secret", from: "scraper") == .right)
    }

    @Test("while one password is computed, an attempt after a wrong one is not kept waiting")
    func concurrentFlood() throws {
        // Hashes of cost 10, some 60 ms each.
        let users = ["prom": "$2y$10$" + AccessTests.hash.dropFirst(7)]
        let checker = PasswordChecker()
        let wrong = try #require(BasicCredentials("Basic \(base64("prom:wrong"))"))
        #expect(checker.check(wrong, users, from: "first") == .wrong)
        let verdicts = Monitor<[PasswordChecker.Verdict]>([])
        ThreadGroup.run(8) { thread in
            for attempt in 0..<4 {
                let verdict = checker.check(wrong, users, from: "\(thread) \(attempt)")
                verdicts.withLock { $0.append(verdict) }
            }
        }
        let all = verdicts.withLock { $0 }
        #expect(all.count == 32 && all.contains(.wrong) && all.contains(.busy))
    }

    @Test("a right password costs no attempt, and is remembered once")
    func remembered() {
        let checker = PasswordChecker(now: { 0 })
        for _ in 0..<20 { #expect(check(checker, "prom:secret") == .right) }
        #expect(checker.rememberedCount == 1)
        for address in 0..<3000 { _ = check(checker, "prom:wrong", from: "\(address % 2)") }
        #expect(checker.rememberedCount == 1)
    }

    @Test("credentials are base64 of user, colon and password, which may hold colons")
    func credentials() {
        let parsed = BasicCredentials("Basic \(base64("a:b:c"))")
        #expect(parsed?.user == Array("a".utf8))
        #expect(parsed?.password == Array("b:c".utf8))
        #expect(BasicCredentials("Basic YTpi")?.password == Array("b".utf8))
        #expect(BasicCredentials("Basic YTo") != nil)
        #expect(BasicCredentials("Basic YTpiY") == nil)
        #expect(BasicCredentials("Basic YTpi====") == nil)
    }

    @Test("priorities name the versions, and chosen suites take the others away")
    func priorities() {
        var tls = TLSSettings(certificate: [], key: [])
        #expect(tls.priority.contains("-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"))
        tls.minimumVersion = .tls13
        #expect(!tls.priority.contains("+VERS-TLS1.2"))
        tls.cipherSuites = [.rsaAES256, .ecdsaAES128]
        #expect(tls.cipherSuitesNotNamed == [.ecdsaAES256, .rsaAES128])
        tls.cipherSuites = [.rsaAES256]
        #expect(tls.cipherSuitesNotNamed.isEmpty)
        #expect(tls.priority.hasSuffix(":-ECDHE-ECDSA:-AES-128-GCM:-CHACHA20-POLY1305"))
    }
}

/// Base64 of a text, for tests.
func base64(_ text: String) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let bits = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for index in 0..<4 { result.append(index <= group.count ? digits[bits >> (18 - 6 * index) & 63] : 0x3d) }
    }
    return String(decoding: result, as: UTF8.self)
}
