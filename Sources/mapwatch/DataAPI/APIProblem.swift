import HTTPServer
import InstrumentedMaps

/// Why a request of the data API was refused; becomes an `application/problem+json`.
struct APIProblem: Error {
    let status: Int
    let title: String
    let detail: String
    var field: String?
    var retryAfter: Int?
    /// The tag of the entry as it is, where one is in the way.
    var entityTag: EntityTag?

    static func badRequest(_ detail: String) -> APIProblem {
        APIProblem(status: 400, title: "Bad Request", detail: detail)
    }

    static func notFound(_ detail: String) -> APIProblem {
        APIProblem(status: 404, title: "Not Found", detail: detail)
    }

    static func undeclared(_ name: MapName) -> APIProblem {
        .notFound("map \"\(name)\" is not declared")
    }

    static func unprocessable(_ detail: String, field: String) -> APIProblem {
        APIProblem(status: 422, title: "Unprocessable Content", detail: detail, field: field)
    }

    static func insufficientStorage(_ detail: String) -> APIProblem {
        APIProblem(status: 507, title: "Insufficient Storage", detail: detail)
    }

    /// Why an iteration did not begin.
    init(_ error: IterationError) {
        switch error {
        case .conflict(let conflict): self = .conflict(conflict)
        case .snapshotTooLarge: self = .insufficientStorage("\(error)")
        }
    }

    /// A store for which the map or the process has no memory left.
    static func outOfMemory(_ map: any InstrumentedMap) -> APIProblem {
        let held = map.snapshot().sum(\.allocatedBytes)
        let bound = map.options.maximumBytes.map { "its max_bytes is \($0)" } ?? "the process' max_bytes is reached"
        return .insufficientStorage(
            "map \"\(map.name)\" holds \(held) bytes and may not take more: \(bound); delete entries or raise it")
    }

    init(status: Int, title: String, detail: String, field: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.title = title
        self.detail = detail
        self.field = field
        self.retryAfter = retryAfter
    }

    /// An operation that met another one on a map of strategy `checked`; names both.
    static func conflict(_ conflict: MapConflict) -> APIProblem {
        APIProblem(status: 409, title: "Conflict", detail: "\(conflict); nothing was done, try again")
    }

    init(_ error: MapHostError) {
        switch error {
        case .undeclared: self = .notFound("\(error)")
        case .standsOtherwise, .nameTaken, .holdsSwiftValues:
            self.init(status: 409, title: "Conflict", detail: "\(error)")
        case .tooManyMaps, .tooManySeries: self = .insufficientStorage("\(error)")
        }
    }

    /// A delete that the map's guard refused: says which iterators are open, and how to end them.
    init(_ refusal: DeletionRefused) {
        self.init(
            status: 409, title: "Conflict",
            detail: "\(refusal); a listing ends by DELETE /api/v1/maps/\(refusal.map)/entries?cursor=TOKEN",
            field: "guard")
    }

    /// A listing that ended before its last entry.
    init(_ stop: IterationStop, of map: MapName) {
        let cause =
            switch stop {
            case .deletion: "an entry was deleted, and the map's guard is \"stop_iteration\""
            case .lease: "nobody asked for the next page within its lease"
            }
        self.init(
            status: 410, title: "Gone",
            detail: "the listing of map \"\(map)\" was stopped: \(cause); begin again without a cursor",
            field: stop.reason)
    }

    var response: HTTPResponse {
        var response = HTTPResponse.problem(status, title, detail, field: field, retryAfter: retryAfter)
        if let entityTag { response.headers.append(("ETag", "\(entityTag)")) }
        return response
    }
}
