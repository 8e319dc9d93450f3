import Glibc
import TestSupport
import Testing

/// One connection's share of the ledger test: random operations on keys that nobody else touches.
private struct LedgerDriver {
    private(set) var model = ModelMap()
    private var random: SeededGenerator
    private let keys: [[UInt8]]

    init(number: Int, keyCount: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed &+ UInt64(number))
        keys = (0..<keyCount).map { LedgerDriver.key(number: number, index: $0, &random) }
        self.random = random
    }

    mutating func next() -> MapOperation {
        let key = keys[Int.random(in: 0..<keys.count, using: &random)]
        return switch Int.random(in: 0..<100, using: &random) {
        case 0..<45: .put(key: key, value: value())
        case 45..<75: .get(key: key)
        default: .delete(key: key)
        }
    }

    mutating func apply(_ operation: MapOperation) -> ExpectedAnswer { model.apply(operation) }

    /// Half of the keys are texts with characters that JSON escapes, half are bytes that are no UTF-8.
    private static func key(number: Int, index: Int, _ random: inout SeededGenerator) -> [UInt8] {
        let tail = Array("\(number)/\(index)".utf8)
        guard index.isMultiple(of: 2) else { return Array("\"k\\ü\n\u{1}😀 ".utf8) + tail }
        let noise = (0..<Int.random(in: 0..<40, using: &random)).map { _ in
            UInt8.random(in: 0...255, using: &random)
        }
        return [0xff, 0x00] + noise + tail
    }

    /// Mostly small, sometimes empty, sometimes large; one in four is no UTF-8.
    private mutating func value() -> [UInt8] {
        let limit = [0, 16, 200, 200, 200, 2000][Int.random(in: 0..<6, using: &random)]
        let count = Int.random(in: 0...limit, using: &random)
        let isText = Int.random(in: 0..<4, using: &random) > 0
        return (0..<count).map { _ in UInt8.random(in: isText ? 0x20...0x7e : 0...255, using: &random) }
    }
}

@Suite("The ledger")
struct LedgerTests {
    private static let connections = 4
    private static let operationsPerBatch = 500
    private static let batchesPerConnection = 50
    private static let seed: UInt64 = 42

    @Test(
        "after 100,000 operations over HTTP every counter equals the driver's ledger", arguments: ["sharded", "rwlock"])
    func ledger(strategy: String) throws {
        let daemon = try MapwatchProcess()
        #expect(try daemon.data("PUT", "/api/v1/maps/books", body: "{\"strategy\":\"\(strategy)\"}").status == 201)
        let shares = try inParallel(Self.connections) { try Self.drive(daemon, number: $0) }
        #expect(shares.count == Self.connections)
        for share in shares { #expect(share.wrongAnswers == []) }
        let ledger = shares.reduce(OperationLedger()) { $0 + $1.model.ledger }
        #expect(ledger.operations == 100_000)
        print("ledger, \(strategy): \(ledger)")

        let scrape = try daemon.scrape()
        try expect(scrape, map: "books", shards: strategy == "sharded" ? 32 : 1, equals: ledger)
        #expect(try sum(scrape, "map_shard_lock_acquired_total") >= Double(ledger.operations))
        #expect(try sum(scrape, "mem_map_size_bytes") > 0)

        let pages = try daemon.allPages("books", "limit=1000")
        let listed = pages.reduce(into: [:]) { $0.merge($1.entries) { $1 } }
        let wanted = shares.reduce(into: [:]) { $0.merge($1.model.entries) { $1 } }
        #expect(listed == wanted)
        #expect(pages.reduce(0) { $0 + $1.count } == wanted.count)
    }

    private struct Share: Sendable {
        let model: ModelMap
        let wrongAnswers: [String]
    }

    /// Sends one connection's operations and compares each answer with the model's.
    private static func drive(_ daemon: MapwatchProcess, number: Int) throws -> Share {
        var driver = LedgerDriver(number: number, keyCount: 1250, seed: seed)
        var wrong: [String] = []
        let coder = BatchCoder()
        let connection = try daemon.connectToData()
        for batch in 0..<batchesPerConnection {
            let operations = (0..<operationsPerBatch).map { _ in driver.next() }
            let expected = operations.map { driver.apply($0) }
            let answers = try coder.send(operations, to: "books", over: connection)
            if answers.count != expected.count { wrong.append("batch \(batch): \(answers.count) answers") }
            for (index, (answer, wanted)) in zip(answers, expected).enumerated() where answer != wanted {
                wrong.append("batch \(batch) line \(index): \(operations[index]): \(answer), not \(wanted)")
            }
        }
        return Share(model: driver.model, wrongAnswers: Array(wrong.prefix(10)))
    }

    private func sum(_ scrape: CheckedExposition, _ name: String) throws -> Double {
        try #require(scrape.sum(name, ["map_name": "books"]), "no series \(name)")
    }
}

/// Expects each counter of the map to equal the ledger, and each shard to agree with itself.
func expect(_ scrape: CheckedExposition, map: String, shards: Int, equals ledger: OperationLedger) throws {
    for (name, value) in ledger.series {
        #expect(scrape.samples(name, ["map_name": map]).count == shards, "rows of \(name)")
        #expect(scrape.sum(name, ["map_name": map]) == Double(value), "\(name)")
    }
    for shard in Set(scrape.samples("map_op_total", ["map_name": map]).compactMap { $0.labels["shard_id"] }) {
        func value(_ name: String) throws -> Double {
            try #require(scrape.value(name, ["map_name": map, "shard_id": shard]), "no \(name) of shard \(shard)")
        }
        let (inserts, deletes) = (try value("map_op_insert_total"), try value("map_op_delete_total"))
        #expect(try value("map_op_total") == inserts + value("map_op_update_total") + deletes)
        #expect(try value("map_entries") == inserts - deletes)
        #expect(try value("map_entries_added_total") == inserts)
        #expect(try value("map_entries_removed_total") == deletes)
        #expect(try value("map_shard_lock_contended_total") <= value("map_shard_lock_acquired_total"))
        #expect(try value("map_shard_lock_waiters") == 0)
    }
}
