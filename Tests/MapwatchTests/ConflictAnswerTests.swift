import HTTPServer
import InstrumentedMaps
import Instruments
import TestSupport
import Testing

@testable import mapwatch

@Suite("Conflicts over the data API")
struct ConflictAnswerTests {
    /// Keeps the operations of one caller inside the shard until it is told to let go.
    private final class Gate: OperationObserver {
        let isInside = Flag()
        let mayGo = Flag()

        func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {
            guard Caller.current.name == "checkout" else { return }
            isInside.raise()
            _ = eventually { mayGo.isRaised }
        }
    }

    private static func request(
        _ router: Router, _ method: HTTPMethod, _ path: String, _ body: String, caller: String
    ) -> HTTPResponse? {
        guard let target = try? RequestTarget(parsing: Array(path.utf8)) else { return nil }
        let head = HTTPRequestHead(method: method, target: target, headers: [("X-Mapwatch-Caller", caller)])
        guard case .accept(_, _, let respond) = router.prepare(head) else { return nil }
        return respond(HTTPRequest(head: head, body: Array(body.utf8)))
    }

    @Test("entries of a map of Swift values are a 409 that says so, and its figures are served")
    func typedMap() throws {
        let host = MapHost { 0 }
        let orders = try ShardedMap<Int, Int>(MapName("orders"), MapOptions())
        orders.store(1, 1)
        try host.register(orders)
        let router = try Router(DataAPI(host: host, listings: Listings(nanoseconds: { 0 })).routes())
        for (method, path, body) in Self.seconds + [(.post, "/batch", #"{"op":"get","key":"k"}"#)] {
            let response = try #require(
                Self.request(router, method, "/api/v1/maps/orders" + path, body, caller: "x"))
            #expect(response.status == 409, "\(method) \(path)")
            #expect(String(decoding: response.body, as: UTF8.self).contains("orders"))
        }
        let map = try #require(Self.request(router, .get, "/api/v1/maps/orders", "", caller: "x"))
        #expect(map.status == 200)
        #expect(orders.count == 1)
    }

    private static let seconds: [(HTTPMethod, String, String)] = [
        (.put, "/entries/k", "v"), (.get, "/entries/k", ""), (.delete, "/entries/k", ""), (.get, "/entries", ""),
        (.post, "/delete", #"{"prefix":""}"#),
    ]

    @Test("of two requests at once one is a 409 that names both callers", arguments: seconds.indices)
    func answers409(index: Int) throws {
        let (method, path, body) = Self.seconds[index]
        let gate = Gate()
        let host = MapHost(observer: { _, _, _ in gate }, secondsSince1970: { 0 })
        _ = try host.create(MapName("m"), MapOptions(strategy: .checked, shards: 1))
        let router = try Router(DataAPI(host: host, listings: Listings(nanoseconds: { 0 })).routes())
        let group = ThreadGroup()
        let first = LockedState<Int?>(nil)
        group.start {
            let response = Self.request(router, .put, "/api/v1/maps/m/entries/k", "first", caller: "checkout")
            first.withLock { $0 = response?.status }
        }
        try #require(eventually { gate.isInside.isRaised })
        let response = try #require(Self.request(router, method, "/api/v1/maps/m" + path, body, caller: "refund"))
        let batch = try #require(
            Self.request(
                router, .post, "/api/v1/maps/m/batch", #"{"op":"put","key":"k","value":"w"}"#, caller: "refund"))
        gate.mayGo.raise()
        group.join()
        #expect(first.withLock { $0 } == 201)
        #expect(response.status == 409)
        let text = String(decoding: response.body, as: UTF8.self)
        #expect(text.contains(#"caller \"checkout\", update"#))
        #expect(text.contains(#"caller \"refund\""#))
        #expect(
            String(decoding: batch.body, as: UTF8.self).hasPrefix(#"{"status":409,"detail":"concurrent map writes"#))
        #expect(host.map(try MapName("m"))?.load(Array("k".utf8)) == Array("first".utf8))
        #expect(host.map(try MapName("m"))?.snapshot().conflicts?.refusals == 2)
    }
}
