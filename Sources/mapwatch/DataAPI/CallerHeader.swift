import HTTPServer
import InstrumentedMaps

/// `X-Mapwatch-Caller`: under which name a request's operations are done.
enum CallerHeader {
    static let name = "X-Mapwatch-Caller"

    /// The caller that the header names, nobody without one; throws a 400 that names the value.
    static func caller(_ headers: HTTPHeaders) throws(APIProblem) -> Caller {
        let lines = headers.all(name)
        guard let text = lines.first else { return .none }
        guard lines.count == 1, (1...Caller.maximumNameBytes).contains(text.utf8.count),
            text.utf8.allSatisfy({ (0x20...0x7e).contains($0) })
        else {
            let shown = String(decoding: lines.joined(separator: ", ").utf8.prefix(80), as: UTF8.self)
            throw APIProblem(
                status: 400, title: "Bad Request",
                detail: "\(name) must be 1 to \(Caller.maximumNameBytes) printable ASCII bytes, not: \(shown)",
                field: name)
        }
        return .named(text)
    }
}

extension Route {
    /// The same route, whose operations are those of the caller that the request names.
    func namingCallers() -> Route {
        Route(method, pattern, name: name, bodyLimit: bodyLimit) { [handler] request, parameters in
            DataAPI.answer { () throws(APIProblem) in
                withCaller(try CallerHeader.caller(request.headers)) {
                    RequestTrace.with(request.headers) { handler(request, parameters) }
                }
            }
        }
    }
}
