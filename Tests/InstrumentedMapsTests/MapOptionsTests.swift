import InstrumentedMaps
import Testing

@Suite("MapOptions")
struct MapOptionsTests {
    struct Good: Sendable {
        let strategyName: String?
        let shards: Int?
        let strategy: MapStrategy
        let count: Int
    }

    struct Bad: Sendable {
        let strategyName: String?
        let shards: Int?
        let field: String
        let text: String
    }

    private static let good = [
        Good(strategyName: nil, shards: nil, strategy: .sharded, count: 16),
        Good(strategyName: nil, shards: 7, strategy: .sharded, count: 7),
        Good(strategyName: "sharded", shards: nil, strategy: .sharded, count: 16),
        Good(strategyName: "sharded", shards: 1, strategy: .sharded, count: 1),
        Good(strategyName: "sharded", shards: 1024, strategy: .sharded, count: 1024),
        Good(strategyName: "rwlock", shards: nil, strategy: .rwlock, count: 1),
    ]

    private static let bad = [
        Bad(strategyName: nil, shards: 0, field: "shards", text: "shards must be 1 to 1024, not 0"),
        Bad(strategyName: "sharded", shards: -1, field: "shards", text: "shards must be 1 to 1024, not -1"),
        Bad(strategyName: "sharded", shards: 1025, field: "shards", text: "shards must be 1 to 1024, not 1025"),
        Bad(
            strategyName: "rwlock", shards: 1, field: "shards",
            text: "shards cannot be set: strategy \"rwlock\" has one lock"),
        Bad(
            strategyName: "swiss", shards: nil, field: "strategy",
            text: "strategy \"swiss\" is unknown; known are sharded, rwlock"),
        Bad(
            strategyName: "", shards: 0, field: "strategy",
            text: "strategy \"\" is unknown; known are sharded, rwlock"),
        Bad(
            strategyName: "Sharded", shards: nil, field: "strategy",
            text: "strategy \"Sharded\" is unknown; known are sharded, rwlock"),
    ]

    @Test("options that fit together are taken", arguments: good)
    func accepts(good: Good) throws {
        let options = try MapOptions(strategyName: good.strategyName, shards: good.shards)
        #expect(options.strategy == good.strategy)
        #expect(options.shards == good.count)
    }

    @Test("options that do not are refused with field and text", arguments: bad)
    func refuses(bad: Bad) {
        #expect {
            _ = try MapOptions(strategyName: bad.strategyName, shards: bad.shards)
        } throws: { error in
            let error = error as? MapOptionsError
            return error?.field == bad.field && error?.description == bad.text
        }
    }

    @Test("saying the default is saying nothing")
    func defaultsAreEqual() throws {
        #expect(try MapOptions() == MapOptions(strategyName: "sharded", shards: 16))
        #expect(try MapOptions() != MapOptions(shards: 17))
        #expect(try MapOptions(shards: 1) != MapOptions(strategy: .rwlock))
    }
}
