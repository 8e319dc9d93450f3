import InstrumentedMaps
import Testing

@Suite("MapOptions")
struct MapOptionsTests {
    struct Good: Sendable {
        let fields: [String: OptionValue]
        let strategy: MapStrategy
        let shards: Int
        var reads = ReadMode.locked
    }

    struct Bad: Sendable {
        let fields: [String: OptionValue]
        let field: String
        let text: String
    }

    private static let good = [
        Good(fields: [:], strategy: .sharded, shards: 32),
        Good(fields: ["shards": .integer(7)], strategy: .sharded, shards: 7),
        Good(fields: ["strategy": .text("sharded")], strategy: .sharded, shards: 32),
        Good(fields: ["strategy": .text("sharded"), "shards": .integer(1)], strategy: .sharded, shards: 1),
        Good(fields: ["strategy": .text("sharded"), "shards": .integer(1_024)], strategy: .sharded, shards: 1_024),
        Good(fields: ["strategy": .text("rwlock")], strategy: .rwlock, shards: 1),
        Good(fields: ["reads": .text("locked")], strategy: .sharded, shards: 32),
        Good(fields: ["strategy": .text("checked")], strategy: .checked, shards: 32),
        Good(
            fields: ["strategy": .text("checked"), "policy": .text("trap"), "check_reads": .truth(false)],
            strategy: .checked, shards: 32),
        Good(
            fields: ["reads": .text("optimistic"), "shards": .integer(7)], strategy: .sharded, shards: 7,
            reads: .optimistic),
    ]

    private static let badValues = [
        Bad(fields: ["shards": .integer(0)], field: "shards", text: "shards must be 1 to 1024, not 0"),
        Bad(fields: ["shards": .integer(-1)], field: "shards", text: "shards must be 1 to 1024, not -1"),
        Bad(fields: ["shards": .integer(1_025)], field: "shards", text: "shards must be 1 to 1024, not 1025"),
        Bad(fields: ["shards": .integer(.max)], field: "shards", text: "shards must be 1 to 1024, not \(Int.max)"),
        Bad(
            fields: ["ttl_seconds": .integer(0)], field: "ttl_seconds", text: "ttl_seconds must be 1 to 31536000, not 0"
        ),
        Bad(
            fields: ["ttl_seconds": .integer(31_536_001)], field: "ttl_seconds",
            text: "ttl_seconds must be 1 to 31536000, not 31536001"),
        Bad(
            fields: ["policy": .text("count")], field: "policy",
            text: "policy cannot be set: strategy \"sharded\" checks nothing, only \"checked\" does"),
        Bad(
            fields: ["strategy": .text("rwlock"), "check_reads": .truth(true)], field: "check_reads",
            text: "check_reads cannot be set: strategy \"rwlock\" checks nothing, only \"checked\" does"),
        Bad(
            fields: ["strategy": .text("checked"), "policy": .text("panic")], field: "policy",
            text: "policy \"panic\" is unknown; known are reject, count, trap"),
        Bad(
            fields: ["strategy": .text("checked"), "check_reads": .text("true")], field: "check_reads",
            text: "check_reads must be true or false, not \"true\""),
        Bad(
            fields: ["strategy": .text("checked"), "reads": .text("locked")], field: "reads",
            text: "reads cannot be set: strategy \"checked\" reads under its shards' words"),
        Bad(
            fields: ["strategy": .text("rwlock"), "shards": .integer(1)], field: "shards",
            text: "shards cannot be set: strategy \"rwlock\" has one lock"),
        Bad(
            fields: ["strategy": .text("rwlock"), "reads": .text("optimistic")], field: "reads",
            text: "reads cannot be set: readers of strategy \"rwlock\" share its lock"),
        Bad(
            fields: ["reads": .text("unlocked")], field: "reads",
            text: "reads \"unlocked\" is unknown; known are locked, optimistic"),
        Bad(
            fields: ["strategy": .text("swiss")], field: "strategy",
            text: "strategy \"swiss\" is unknown; known are sharded, rwlock, checked"),
        Bad(
            fields: ["strategy": .text("")], field: "strategy",
            text: "strategy \"\" is unknown; known are sharded, rwlock, checked"),
        Bad(
            fields: ["strategy": .text("Sharded")], field: "strategy",
            text: "strategy \"Sharded\" is unknown; known are sharded, rwlock, checked"),
    ]

    private static let badFields = [
        Bad(fields: ["shards": .text("7")], field: "shards", text: "shards must be a whole number, not \"7\""),
        Bad(fields: ["shards": .other("1.5")], field: "shards", text: "shards must be a whole number, not 1.5"),
        Bad(
            fields: ["ttl_seconds": .other("1.5")], field: "ttl_seconds",
            text: "ttl_seconds must be a whole number, not 1.5"),
        Bad(fields: ["strategy": .integer(1)], field: "strategy", text: "strategy must be a text, not 1"),
        Bad(fields: ["reads": .integer(1)], field: "reads", text: "reads must be a text, not 1"),
        Bad(fields: ["strategy": .other("null")], field: "strategy", text: "strategy must be a text, not null"),
        Bad(
            fields: ["ttl": .integer(1)], field: "ttl",
            text: "option \"ttl\" is unknown; known are strategy, shards, reads, max_bytes, ttl_seconds, mode, hash, "
                + "policy, check_reads, guard"),
        Bad(
            fields: ["Shards": .integer(1), "a": .integer(1)], field: "Shards",
            text:
                "option \"Shards\" is unknown; known are strategy, shards, reads, max_bytes, ttl_seconds, mode, hash, "
                + "policy, check_reads, guard"),
    ]

    @Test("options that fit together are taken", arguments: good)
    func accepts(good: Good) throws {
        let options = try MapOptions(fields: good.fields)
        #expect(options.strategy == good.strategy)
        #expect(options.shards == good.shards)
        #expect(options.reads == good.reads)
    }

    @Test("options that do not are refused with field and text", arguments: badValues + badFields)
    func refuses(bad: Bad) {
        #expect {
            _ = try MapOptions(fields: bad.fields)
        } throws: { error in
            let error = error as? MapOptionsError
            return error?.field == bad.field && error?.description == bad.text
        }
    }

    @Test("the same options in Swift are refused with the same texts")
    func refusesInSwift() {
        #expect(throws: MapOptionsError.shardsOutOfRange(0)) { try MapOptions(shards: 0) }
        #expect(throws: MapOptionsError.shardsOutOfRange(1_025)) { try MapOptions(shards: 1_025) }
        #expect(throws: MapOptionsError.strategyTakesNoShards(.rwlock)) { try MapOptions(strategy: .rwlock, shards: 1) }
        #expect(throws: MapOptionsError.strategyTakesNoReads(.rwlock)) {
            try MapOptions(strategy: .rwlock, reads: .optimistic)
        }
    }

    @Test("saying the default is saying nothing")
    func defaultsAreEqual() throws {
        let said: [String: OptionValue] = ["strategy": .text("sharded"), "shards": .integer(MapOptions.defaultShards)]
        #expect(try MapOptions() == MapOptions(fields: said))
        #expect(try MapOptions() != MapOptions(shards: 17))
        #expect(try MapOptions() == MapOptions(reads: .locked))
        #expect(try MapOptions() != MapOptions(reads: .optimistic))
        #expect(try MapOptions(shards: 1) != MapOptions(strategy: .rwlock))
    }
}
