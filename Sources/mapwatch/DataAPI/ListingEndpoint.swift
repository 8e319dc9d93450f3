import HTTPServer
import InstrumentedMaps

/// Pages through a map: `GET …/entries?mode=snapshot|live&prefix=&limit=&lease_seconds=&cursor=`.
struct ListingEndpoint {
    let host: MapHost
    let listings: Listings

    static let defaultLimit = 1000
    static let maximumLimit = 10_000
    /// A page ends early once its keys and values sum up to this.
    static let maximumPageBytes = 8 << 20

    private static let pattern = "/api/v1/maps/{map}/entries"

    func routes() -> [Route] {
        [
            Route(.get, ListingEndpoint.pattern, name: "entries") { request, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let query = try ListingQuery(request.target.query)
                    let name = try DataAPI.name(parameters)
                    if let token = query.cursor { return try resume(token, name, query) }
                    return try open(name, query)
                }
            },
            Route(.delete, ListingEndpoint.pattern, name: "entries") { request, parameters in
                DataAPI.answer { () throws(APIProblem) in
                    let name = try DataAPI.name(parameters)
                    guard let token = try ListingQuery(request.target.query).cursor else {
                        throw .badRequest("give the cursor of the listing to end: DELETE …/entries?cursor=TOKEN")
                    }
                    guard listings.end(token, of: name) else { throw ended(token) }
                    return .empty(204)
                }
            },
        ]
    }

    private func open(_ name: MapName, _ query: ListingQuery) throws(APIProblem) -> HTTPResponse {
        let map = try host.declaredMap(name)
        let kind = query.kind ?? .snapshot
        guard query.leaseSeconds == nil || kind == .live else {
            throw .badRequest(
                "lease_seconds is for mode=live; a snapshot waits \(Listings.lifetime(.snapshot)) seconds")
        }
        let prefix = query.prefix ?? []
        let iterator: any MapIterator
        do {
            iterator = try map.iterateRefusingConflicts(kind, prefix: prefix, maximumBytes: listings.freeSnapshotBytes)
        } catch {
            throw APIProblem(error)
        }
        let page = iterator.next(limit: query.limit, maximumBytes: ListingEndpoint.maximumPageBytes)
        if let stop = iterator.stop { throw APIProblem(stop, of: name) }
        if iterator.isAtEnd { return render(page, cursor: nil) }
        let listing = Listings.Listing(
            map: name, kind: kind, prefix: prefix, iterator: iterator,
            lifetime: query.leaseSeconds ?? Listings.lifetime(kind))
        guard let token = listings.keep(listing) else {
            throw APIProblem(
                status: 429, title: "Too Many Requests",
                detail: "\(Listings.maximumOpen) listings are open; end one or wait until one expires", retryAfter: 60)
        }
        return render(page, cursor: token)
    }

    private func resume(
        _ token: String, _ name: MapName, _ query: ListingQuery
    ) throws(APIProblem) -> HTTPResponse {
        guard let listing = listings.resume(token), listing.map == name else { throw ended(token) }
        guard query.kind == nil || query.kind == listing.kind, query.prefix == nil || query.prefix == listing.prefix,
            query.leaseSeconds == nil || query.leaseSeconds == listing.lifetime
        else {
            throw .badRequest(
                "mode, prefix and lease_seconds cannot change from page to page; leave them out beside a cursor")
        }
        let page = listing.iterator.next(limit: query.limit, maximumBytes: ListingEndpoint.maximumPageBytes)
        guard listing.iterator.isAtEnd else { return render(page, cursor: token) }
        _ = listings.end(token, of: name)
        if let stop = listing.iterator.stop { throw APIProblem(stop, of: name) }
        return render(page, cursor: nil)
    }

    private func ended(_ token: String) -> APIProblem {
        .notFound("there is no listing with cursor \"\(token)\"; it has ended or expired, begin again without a cursor")
    }

    private func render(_ page: [MapEntry], cursor: String?) -> HTTPResponse {
        var body: [UInt8] = []
        for entry in page {
            var line = JSONLine()
            line.add("key", raw: entry.key)
            line.add("value", raw: entry.value)
            body += line.line()
        }
        var last = JSONLine()
        if let cursor { last.add("cursor", cursor) } else { last.addNull("cursor") }
        return DataAPI.ndjson(body + last.line())
    }
}

/// The query of a listing, checked.
struct ListingQuery: Equatable {
    private(set) var kind: IterationKind?
    private(set) var prefix: [UInt8]?
    private(set) var limit = ListingEndpoint.defaultLimit
    private(set) var leaseSeconds: Int?
    private(set) var cursor: String?

    init(_ items: [RequestTarget.QueryItem]) throws(APIProblem) {
        var seen: Set<String> = []
        for item in items {
            let name = String(decoding: item.name, as: UTF8.self)
            let value = String(decoding: item.value, as: UTF8.self)
            guard seen.insert(name).inserted else { throw .badRequest("query argument \"\(name)\" stands twice") }
            switch name {
            case "mode":
                if value == "locked" {
                    throw .badRequest(
                        "mode \"locked\" is not served: every writer would wait for the whole walk; take mode=snapshot, or "
                            + "forEachLocked in Swift")
                }
                guard let kind = IterationKind(rawValue: value) else {
                    throw .badRequest("mode \"\(value)\" is unknown; known are snapshot, live")
                }
                self.kind = kind
            case "prefix": prefix = item.value
            case "limit":
                guard let limit = Int(value), (1...ListingEndpoint.maximumLimit).contains(limit) else {
                    throw .badRequest("limit must be 1 to \(ListingEndpoint.maximumLimit), not \"\(value)\"")
                }
                self.limit = limit
            case "lease_seconds":
                let range = Listings.leaseRange
                guard let seconds = Int(value), range.contains(seconds) else {
                    throw .badRequest(
                        "lease_seconds must be \(range.lowerBound) to \(range.upperBound), not \"\(value)\"")
                }
                leaseSeconds = seconds
            case "cursor": cursor = value
            default:
                throw .badRequest(
                    "query argument \"\(name)\" is unknown; known are mode, prefix, limit, lease_seconds, cursor")
            }
        }
    }
}
