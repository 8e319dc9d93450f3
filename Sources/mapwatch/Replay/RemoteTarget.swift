import DataDocuments
import InstrumentedMaps
import Instruments
import Scenarios

/// The connections of a replay to one listener, as many as are in use at once. Any thread.
final class ReplayConnections: Sendable {
    // Safety: a connection is in this list or with one caller, never both.
    private struct Idle: @unchecked Sendable {
        var connections: [ReplayConnection] = []
    }

    let address: DaemonAddress
    private let idle = LockedState(Idle())

    init(_ address: DaemonAddress) { self.address = address }

    func request(
        _ method: String, _ path: String, _ body: [UInt8] = []
    ) throws(ReplayFailure) -> ReplayConnection.Answer {
        let taken = idle.withLock { idle in Idle(connections: idle.connections.popLast().map { [$0] } ?? []) }
        let connection = taken.connections.first ?? ReplayConnection(address)
        let answer = try connection.request(method, path, body)
        let free = Idle(connections: [connection])
        idle.withLock { $0.connections += free.connections }
        return answer
    }
}

/// A map of a daemon, over its data API. The keys and values of scenarios are plain ASCII without quotes, so that they
/// stand in paths and JSON as they are.
struct RemoteTarget: MapTarget {
    let connections: ReplayConnections
    let map: String

    private var path: String { "/api/v1/maps/\(map)" }

    /// Puts a new map in the place of the last replay's.
    func create(_ fields: [String: OptionValue]) throws {
        _ = try connections.request("DELETE", path)
        let members = fields.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value.json)" }
        try expect([201], "PUT", path, Array("{\(members.joined(separator: ","))}".utf8))
    }

    func load(_ key: [UInt8]) throws -> [UInt8]? {
        let answer = try expect([200, 404], "GET", entry(key))
        return answer.status == 200 ? answer.body : nil
    }

    func store(_ key: [UInt8], _ value: [UInt8]) throws {
        try expect([201, 204], "PUT", entry(key), value)
    }

    func delete(_ key: [UInt8]) throws -> Bool { try expect([204, 404], "DELETE", entry(key)).status == 204 }

    func delete(_ keys: [[UInt8]]) throws -> Int {
        let names = keys.map { "\"\(String(decoding: $0, as: UTF8.self))\"" }
        return try deleted(by: "{\"keys\":[\(names.joined(separator: ","))]}")
    }

    func deleteMatching(prefix: [UInt8]) throws -> Int {
        try deleted(by: "{\"prefix\":\"\(String(decoding: prefix, as: UTF8.self))\"}")
    }

    func walk(_ kind: IterationKind, pageEntries: Int, _ body: ([MapEntry]) throws -> Bool) throws {
        var query = "mode=\(kind.rawValue)&limit=\(pageEntries)"
        while true {
            let answer = try expect([200], "GET", "\(path)/entries?\(query)")
            let (page, cursor) = RemoteTarget.page(answer.body)
            let goesOn: Bool
            do { goesOn = try body(page) } catch {
                if let cursor { try end(cursor) }
                throw error
            }
            guard let cursor else { return }
            guard goesOn else { return try end(cursor) }
            query = "cursor=\(cursor)&limit=\(pageEntries)"
        }
    }

    private func end(_ cursor: String) throws { try expect([204, 404], "DELETE", "\(path)/entries?cursor=\(cursor)") }

    private func entry(_ key: [UInt8]) -> String { "\(path)/entries/\(String(decoding: key, as: UTF8.self))" }

    private func deleted(by document: String) throws -> Int {
        let answer = try expect([200], "POST", "\(path)/delete", Array(document.utf8))
        guard case .object(let members) = try JSONValue.parse(answer.body),
            case .integer(let count)? = members["deleted"]
        else { throw ReplayFailure("\(path)/delete answered \(answer.text)") }
        return count
    }

    /// The answer, when its status is one of these; a 409 is a refusal.
    @discardableResult
    private func expect(
        _ statuses: [Int], _ method: String, _ path: String, _ body: [UInt8] = []
    ) throws -> ReplayConnection.Answer {
        let answer = try connections.request(method, path, body)
        if statuses.contains(answer.status) { return answer }
        if answer.status == 409 { throw OperationRefused(answer.text) }
        throw ReplayFailure("\(method) \(connections.address.text)\(path) answered \(answer.status): \(answer.text)")
    }

    /// Reads `{"key":"…","value":"…"}` lines and the last one, `{"cursor":…}`, by hand: they are ours, and a decoder takes
    /// twenty times as long.
    private static func page(_ body: [UInt8]) -> (entries: [MapEntry], cursor: String?) {
        var entries: [MapEntry] = []
        var cursor: String?
        for line in body.split(separator: UInt8(ascii: "\n")) {
            let texts = line.split(separator: UInt8(ascii: "\""), omittingEmptySubsequences: false)
            // { "key" : "…" , "value" : "…" }
            if texts.count == 9 {
                entries.append(MapEntry(key: Array(texts[3]), value: Array(texts[7])))
            } else if texts.count == 5 {
                cursor = String(decoding: texts[3], as: UTF8.self)
            }
        }
        return (entries, cursor)
    }
}

extension OptionValue {
    /// As JSON has it.
    fileprivate var json: String {
        switch self {
        case .integer(let number): "\(number)"
        case .text(let text): "\"\(text)\""
        case .truth(let truth): "\(truth)"
        case .other(let written): written
        }
    }
}
