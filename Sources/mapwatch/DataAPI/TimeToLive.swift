import DataDocuments
import HTTPServer
import InstrumentedMaps

extension TimeToLive {
    static let header = "X-Mapwatch-TTL"

    /// The seconds of the header, nil without one; throws a 400 that names the value.
    static func seconds(_ headers: HTTPHeaders) throws(APIProblem) -> Int? {
        let lines = headers.all(header)
        guard let text = lines.first else { return nil }
        guard lines.count == 1, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let seconds = Int(text),
            MapOptions.ttlRange.contains(seconds)
        else {
            let shown = String(decoding: lines.joined(separator: ", ").utf8.prefix(80), as: UTF8.self)
            throw APIProblem(
                status: 400, title: "Bad Request", detail: "\(header) must be \(wanted), not: \(shown)", field: header)
        }
        return seconds
    }
}

extension InstrumentedMap {
    /// Sets the value of `key`, for `seconds` or, without them, for as long as the map's entries live.
    func store(_ key: [UInt8], _ value: [UInt8], for seconds: Int?) -> StoreOutcome {
        guard let seconds else { return store(key, value) }
        return store(key, value, ttlSeconds: seconds)
    }
}
