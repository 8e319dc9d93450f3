import HTTPServer
import InstrumentedMaps
import Instruments
import Testing

@testable import mapwatch

@Suite("X-Mapwatch-Caller")
struct CallerHeaderTests {
    private final class Callers: OperationObserver {
        let names = LockedState<[String?]>([])

        func didOperate(_ event: OperationEvent) { names.withLock { $0.append(event.caller.name) } }
    }

    private let callers = Callers()
    private let router: Router

    init() throws {
        let host = MapHost(observer: { [callers] _, _, _ in callers }, secondsSince1970: { 0 })
        _ = try host.create(MapName("m"), MapOptions())
        router = try Router(DataAPI(host: host, listings: Listings(nanoseconds: { 0 })).routes())
    }

    private func put(_ headers: HTTPHeaders) throws -> HTTPResponse {
        let head = HTTPRequestHead(
            method: .put, target: try RequestTarget(parsing: Array("/api/v1/maps/m/entries/k".utf8)), headers: headers)
        guard case .accept(_, _, let respond) = router.prepare(head) else { throw CancellationError() }
        return respond(HTTPRequest(head: head, body: [1]))
    }

    @Test("names who does the operations of a request")
    func namesTheCaller() throws {
        #expect(try put([("X-Mapwatch-Caller", "check out/7")]).status == 201)
        #expect(try put([]).status == 204)
        #expect(callers.names.withLock { $0 } == ["check out/7", nil])
    }

    @Test(
        "is 1 to 64 printable ASCII bytes, else a 400 that names it and nothing changed",
        arguments: ["", String(repeating: "c", count: 65), "caf\u{e9}", "a\u{7f}"])
    func refuses(text: String) throws {
        let response = try put([("X-Mapwatch-Caller", text)])
        #expect(response.status == 400)
        #expect(String(decoding: response.body, as: UTF8.self).contains("X-Mapwatch-Caller"))
        #expect(callers.names.withLock { $0 }.isEmpty)
    }

    @Test("stands once")
    func standsOnce() throws {
        #expect(try put([("X-Mapwatch-Caller", "a"), ("x-mapwatch-caller", "b")]).status == 400)
    }
}
