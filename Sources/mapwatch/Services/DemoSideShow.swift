import InstrumentedMaps
import Scenarios

// What the accidents do not bring about, so that its alert is seen once a rotation too, and is over before the next:
//
//     second 130…490   a crowd in one shard of `ledger`                    MapHotShard, MapLockConflictHigh
//            130…490   a large value of `prices` is stored over and over   MapOptimisticReadsFailing
//            200…290   an iterator on `sessions` that nobody moves         MapIteratorStuck
//            440       writes to a map that nobody has declared            MapwatchUndeclaredWrites
//            560…570   `thumbnails` is filled beyond its max_bytes         MapStoresRefused
//            680…780   an update of `ledger` that does not come back       MapShardStalled
//
// `ledger` is embedded: a map of Swift values, whose entries the data API refuses, so that no request is caught behind the
// shard that stands still.
//
// Nothing here can bring about growth over six hours, a perturbation that is left on, or a daemon that is down, restarted,
// short of memory or ill configured.

/// Small mishaps beside the accidents of a demo. One caller at a time.
struct DemoSideShow {
    private static let thumbnails = "thumbnails"
    private static let prices = "prices"
    private static let ledgerShards = 16
    private let host: MapHost
    private let ledger: ShardedMap<String, Int>
    private var iterator: (any MapIterator)?
    private var rushes: [DemoRush] = []

    init(host: MapHost) {
        self.host = host
        ledger = ShardedMap("ledger", shards: DemoSideShow.ledgerShards)
        // Where the configuration has declared a map of this name, the ledger is a map that nobody sees.
        try? host.register(ledger)
        for number in 0..<100 { ledger.store("account:\(number)", 0) }
    }

    /// The maps that it takes, but for the embedded one.
    static func maps() throws -> [(name: MapName, options: MapOptions)] {
        [
            (try MapName(thumbnails), try MapOptions(shards: 4, maximumBytes: 1 << 20)),
            (try MapName(prices), try MapOptions(shards: 1, reads: .optimistic)),
        ]
    }

    /// To be called each second of a demo.
    mutating func play(second: Int) {
        switch second % DemoRotation.length {
        case 130:
            rushes = [.crowd(ledger)]
            if let prices = map(DemoSideShow.prices) { rushes.append(.rewrite(prices)) }
        case 490, 780: end()
        case 200: iterator = map("sessions").flatMap { try? $0.iterate(.live, prefix: [], maximumBytes: .max) }
        case 290: iterator = nil
        case 440: if let nobody = try? MapName("nobody") { _ = try? host.mapForWriting(nobody) }
        case let second where (560..<570).contains(second): fill(second)
        case 600: _ = map(DemoSideShow.thumbnails)?.deleteMatching(prefix: [])
        case 680: rushes = [.stall(ledger)]
        default: break
        }
        if rushes.isEmpty { book(second) }
    }

    /// Ends what goes on on threads of its own.
    mutating func end() {
        for rush in rushes { rush.end() }
        rushes = []
    }

    /// What goes on in the ledger when nobody is in the way.
    private func book(_ second: Int) {
        for number in 0..<50 { ledger.update("account:\((second * 50 + number) % 100)") { $0 = ($0 ?? 0) + 1 } }
    }

    private func fill(_ second: Int) {
        guard let map = map(DemoSideShow.thumbnails) else { return }
        let picture = [UInt8](repeating: 0x78, count: 4096)
        for number in 0..<60 { map.store(Array("picture:\(second):\(number)".utf8), picture) }
    }

    private func map(_ name: String) -> (any InstrumentedMap)? { (try? MapName(name)).flatMap { host.map($0) } }
}
