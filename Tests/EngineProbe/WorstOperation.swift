import InstrumentedMaps
import TestSupport

// Two runs of the same operations, and of the two costs of each operation the lower one: what the operation does itself
// comes both times, an interrupt or a neighbour that empties the cache hardly. Both maxima are printed.

/// Fills a map, empties it in random order, and looks for the operation that cost most.
struct WorstOperation {
    private static let limit: UInt64 = 1_000_000

    private let arguments: Arguments

    init(_ arguments: Arguments) { self.arguments = arguments }

    func run() throws -> [Finding] {
        var findings: [Finding] = []
        for strategy in MapStrategy.allCases {
            let first = try costs(strategy)
            let second = try costs(strategy)
            for (name, range) in [("insert", 0..<arguments.entries), ("delete", arguments.entries..<first.count)] {
                let worst = range.map { min(first[$0], second[$0]) }.max() ?? 0
                let seen = range.map { max(first[$0], second[$0]) }.max() ?? 0
                let over = range.count { max(first[$0], second[$0]) > Self.limit }
                findings.append(
                    Finding(
                        text: "\(strategy) \(arguments.entries) entries: worst \(name) \(worst / 1_000) µs of CPU "
                            + "(\(seen / 1_000) µs in one of two runs; \(over) over 1 ms in either)",
                        holds: UInt64(worst) < Self.limit))
            }
        }
        return findings
    }

    /// The CPU time of each insert, then of each delete.
    private func costs(_ strategy: MapStrategy) throws -> [UInt32] {
        let host = MapHost { 0 }
        let name = try MapName("worst")
        _ = try host.create(name, MapOptions(strategy: strategy))
        let map = try host.mapForWriting(name)
        var generator = SeededGenerator(seed: arguments.seed)
        let order = (0..<arguments.entries).shuffled(using: &generator)
        var costs = [UInt32](repeating: 0, count: arguments.entries * 2)
        let value = [UInt8](repeating: 1, count: 20)
        var last = threadNanoseconds()
        func note(_ index: Int) {
            let now = threadNanoseconds()
            costs[index] = UInt32(clamping: now - last)
            // The note itself, and the next key, are nobody's work.
            last = now
        }
        for number in 0..<arguments.entries {
            let key = key(number)
            last = threadNanoseconds()
            map.store(key, value)
            note(number)
        }
        for (index, number) in order.enumerated() {
            let key = key(number)
            last = threadNanoseconds()
            map.delete(key)
            note(arguments.entries + index)
        }
        return costs
    }
}
