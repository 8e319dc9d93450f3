import Foundation
import TestSupport

/// What somebody has done to a map, counted apart from the map.
struct OperationLedger: Equatable, Sendable {
    var inserts = 0
    var updates = 0
    var deletes = 0
    var deleteMisses = 0
    var loads = 0
    var loadMisses = 0

    var writes: Int { inserts + updates + deletes }
    var entries: Int { inserts - deletes }
    /// All operations, misses included: each takes a lock once at least.
    var operations: Int { writes + deleteMisses + loads + loadMisses }

    /// What each family must sum up to.
    var series: [(name: String, value: Int)] {
        [
            ("map_op_total", writes), ("map_op_insert_total", inserts), ("map_op_update_total", updates),
            ("map_op_delete_total", deletes), ("map_op_delete_miss_total", deleteMisses),
            ("map_op_load_total", loads), ("map_op_load_miss_total", loadMisses),
            ("map_entries", entries), ("map_entries_added_total", inserts), ("map_entries_removed_total", deletes),
        ]
    }

    static func + (left: OperationLedger, right: OperationLedger) -> OperationLedger {
        OperationLedger(
            inserts: left.inserts + right.inserts, updates: left.updates + right.updates,
            deletes: left.deletes + right.deletes, deleteMisses: left.deleteMisses + right.deleteMisses,
            loads: left.loads + right.loads, loadMisses: left.loadMisses + right.loadMisses)
    }
}

/// One operation on a map.
enum MapOperation: Equatable, Sendable {
    case put(key: [UInt8], value: [UInt8])
    case get(key: [UInt8])
    case delete(key: [UInt8])
}

/// What a map must answer to an operation.
struct ExpectedAnswer: Equatable, Sendable {
    let status: Int
    var value: [UInt8]?
}

/// A map as it must be, and the ledger of what was done to it.
struct ModelMap: Sendable {
    private(set) var entries: [[UInt8]: [UInt8]] = [:]
    private(set) var ledger = OperationLedger()

    /// Does the operation and gives the answer that a map must give; the statuses are those of single requests and of
    /// batches alike.
    mutating func apply(_ operation: MapOperation) -> ExpectedAnswer {
        switch operation {
        case .put(let key, let value):
            guard entries.updateValue(value, forKey: key) != nil else {
                ledger.inserts += 1
                return ExpectedAnswer(status: 201)
            }
            ledger.updates += 1
            return ExpectedAnswer(status: 204)
        case .get(let key):
            guard let value = entries[key] else {
                ledger.loadMisses += 1
                return ExpectedAnswer(status: 404)
            }
            ledger.loads += 1
            return ExpectedAnswer(status: 200, value: value)
        case .delete(let key):
            guard entries.removeValue(forKey: key) != nil else {
                ledger.deleteMisses += 1
                return ExpectedAnswer(status: 404)
            }
            ledger.deletes += 1
            return ExpectedAnswer(status: 204)
        }
    }
}

/// Raw bytes as JSON has them: as text when they are UTF-8, else in base64.
private func jsonForms(_ bytes: [UInt8]) -> (text: String?, base64: String?) {
    if let text = String(validating: bytes, as: UTF8.self) { return (text, nil) }
    return (nil, base64(bytes))
}

/// Writes and reads the NDJSON of `POST …/batch`, by Foundation's coders and so apart from the daemon's own.
struct BatchCoder {
    private struct Line: Encodable {
        let op: String
        let key: String?
        let key64: String?
        var value: String?
        var value64: String?

        init(_ operation: MapOperation) {
            switch operation {
            case .put(let key, let value):
                op = "put"
                (self.key, key64) = jsonForms(key)
                (self.value, value64) = jsonForms(value)
            case .get(let key):
                op = "get"
                (self.key, key64) = jsonForms(key)
            case .delete(let key):
                op = "delete"
                (self.key, key64) = jsonForms(key)
            }
        }
    }

    private struct Answer: Decodable {
        let status: Int
        let value: String?
        let value64: String?
    }

    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    func body(_ operations: [MapOperation]) throws -> [UInt8] {
        try operations.reduce(into: []) { body, operation in
            body += try encoder.encode(Line(operation))
            body.append(UInt8(ascii: "\n"))
        }
    }

    func answers(_ body: [UInt8]) throws -> [ExpectedAnswer] {
        try body.split(separator: UInt8(ascii: "\n")).map { line in
            let answer = try decoder.decode(Answer.self, from: Data(line))
            let raw = answer.value.map { Array($0.utf8) }
            let decoded = answer.value64.flatMap { Data(base64Encoded: $0) }.map { Array($0) }
            return ExpectedAnswer(status: answer.status, value: raw ?? decoded)
        }
    }

    /// Sends one batch and gives the answers.
    func send(
        _ operations: [MapOperation], to map: String, over connection: HTTPConnection
    ) throws -> [ExpectedAnswer] {
        let response = try connection.request("POST", "/api/v1/maps/\(map)/batch", body: body(operations))
        guard response.status == 200 else {
            throw ChildProblem(description: "a batch was answered \(response.status): \(response.text)")
        }
        return try answers(response.body)
    }
}

/// One page of a listing.
struct ListingPage {
    let entries: [[UInt8]: [UInt8]]
    /// How many lines there were; more than entries when a key came twice.
    let count: Int
    let cursor: String?

    private struct Line: Decodable {
        let key: String?
        let key64: String?
        let value: String?
        let value64: String?
        let cursor: String?

        static func bytes(_ text: String?, _ base64: String?) -> [UInt8] {
            text.map { Array($0.utf8) } ?? Array(base64.flatMap { Data(base64Encoded: $0) } ?? Data())
        }
    }

    init(_ body: [UInt8]) throws {
        let decoder = JSONDecoder()
        let lines = try body.split(separator: UInt8(ascii: "\n")).map { try decoder.decode(Line.self, from: Data($0)) }
        entries = lines.dropLast().reduce(into: [:]) { entries, line in
            entries[Line.bytes(line.key, line.key64)] = Line.bytes(line.value, line.value64)
        }
        count = max(lines.count - 1, 0)
        cursor = lines.last?.cursor
    }
}

extension MapwatchProcess {
    /// One page of a map.
    func page(_ map: String, _ query: String = "") throws -> ListingPage {
        let response = try data("GET", "/api/v1/maps/\(map)/entries" + (query.isEmpty ? "" : "?\(query)"))
        guard response.status == 200 else {
            throw ChildProblem(description: "a listing was answered \(response.status): \(response.text)")
        }
        return try ListingPage(response.body)
    }

    /// All pages of a map, from the first to the null cursor.
    func allPages(_ map: String, _ query: String) throws -> [ListingPage] {
        var pages = [try page(map, query)]
        while let cursor = pages.last?.cursor { pages.append(try page(map, "\(query)&cursor=\(cursor)")) }
        return pages
    }
}
