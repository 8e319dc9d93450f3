import InstrumentedMaps
import MapwatchServer
import Scenarios
import Synchronization

// Callers that stand in each other's way. What makes them wait is time that one of them spends inside, mostly asleep, so
// that it costs next to nothing and shows on a machine with one core as on one with many:
//
//     crowd     each stays in `update` of one key for 5 ms, as if it asked somebody else there, and rests for one, so that
//               another gets in meanwhile: a hot shard, and hardly a first try for its lock that does not fail
//     stall     one goes into `update` and does not come back: its shard stands still
//     rewrite   a value of 1 MiB is stored again and again under a reader of its shard, who takes no lock and looks in
//               vain while a store is under way

/// One group of callers on one map, each on a thread of its own, until ``end()``.
final class DemoRush: Sendable {
    private static let account = "account:0"
    private static let callers = 3
    private static let stayNanoseconds = 5_000_000
    private static let restNanoseconds = 1_000_000
    private static let storesInARow = 8
    private static let readPauseNanoseconds = 20_000
    private static let rewritePauseNanoseconds = 100_000_000

    private let over = Flag()

    func end() { over.raise() }

    private var goesOn: Bool { !over.isRaised }

    static func crowd(_ ledger: ShardedMap<String, Int>) -> DemoRush {
        let rush = DemoRush()
        for _ in 0..<callers {
            rush.onThread {
                while rush.goesOn {
                    ledger.update(account) { sum in
                        sum = (sum ?? 0) + 1
                        Pause.nanoseconds(stayNanoseconds)
                    }
                    Pause.nanoseconds(restNanoseconds)
                }
            }
        }
        return rush
    }

    static func stall(_ ledger: ShardedMap<String, Int>) -> DemoRush {
        let rush = DemoRush()
        rush.onThread {
            ledger.update(account) { sum in
                sum = (sum ?? 0) + 1
                rush.onThread { ledger.update(account) { $0 = ($0 ?? 0) + 1 } }
                while rush.goesOn { Pause.nanoseconds(stayNanoseconds) }
            }
        }
        return rush
    }

    static func rewrite(_ prices: any InstrumentedMap) -> DemoRush {
        let rush = DemoRush()
        let (list, price) = (Array("list".utf8), Array("price:0".utf8))
        let document = [UInt8](repeating: 0x78, count: 1 << 20)
        prices.store(price, [0x31])
        rush.onThread {
            while rush.goesOn {
                let isWritten = Flag()
                // Both at once, however few cores there are: who reads wakes up in the midst of a store.
                try? Threads.run(2) { number in
                    if number == 0 {
                        for _ in 0..<storesInARow { prices.store(list, document) }
                        isWritten.raise()
                    } else {
                        while !isWritten.isRaised {
                            _ = prices.load(price)
                            Pause.nanoseconds(readPauseNanoseconds)
                        }
                    }
                }
                Pause.nanoseconds(rewritePauseNanoseconds)
            }
        }
        return rush
    }

    /// Without a thread nothing rushes, and the demo goes on.
    private func onThread(_ body: @escaping @Sendable () -> Void) { _ = DetachedThread.start(body) }
}

/// Raised once, seen by all.
private final class Flag: Sendable {
    private let raised = Atomic<Bool>(false)

    var isRaised: Bool { raised.load(ordering: .relaxed) }

    func raise() { raised.store(true, ordering: .relaxed) }
}
