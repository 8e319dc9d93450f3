import InstrumentedMaps
import TestSupport

/// Fills a map with keys built to collide and with random ones of the same length, and compares the CPU time; does the
/// same with keys of 1 KiB.
struct HashProof {
    private static let rounds = 5

    private let arguments: Arguments

    init(_ arguments: Arguments) { self.arguments = arguments }

    func run() throws -> [Finding] {
        var findings: [Finding] = []
        for keys in CollidingKeys.allCases {
            let count = min(arguments.entries, 1 << 20)
            let built = (0..<count).map { keys.key($0) }
            let ratio = try compare(built)
            findings.append(
                Finding(
                    text: "\(count) keys \(keys.rawValue): \(short(ratio * 100)) % of the CPU time of random keys",
                    holds: ratio < 1.5))
        }
        return findings + longKeys()
    }

    /// The CPU time of storing and finding these keys by that of as many random ones: the median of alternating rounds.
    private func compare(_ built: [[UInt8]]) throws -> Double {
        var generator = SeededGenerator(seed: arguments.seed)
        let random = built.map { CollidingKeys.randomKey($0.count, using: &generator) }
        var ratios: [Double] = []
        for _ in 0..<Self.rounds {
            let (usual, attacked) = (try cost(random), try cost(built))
            ratios.append(Double(attacked) / Double(usual))
        }
        return ratios.sorted()[Self.rounds / 2]
    }

    private func cost(_ keys: [[UInt8]]) throws -> UInt64 {
        let host = MapHost { 0 }
        let name = try MapName("hash")
        _ = try host.create(name, MapOptions())
        let map = try host.mapForWriting(name)
        let start = threadNanoseconds()
        for key in keys { map.store(key, []) }
        var found = 0
        for key in keys where map.load(key) != nil { found += 1 }
        precondition(found == keys.count, "a key is lost")
        return threadNanoseconds() - start
    }

    /// Keys of 1 KiB of every kind, hashed and looked up in an empty map, so that the hash is all that costs.
    private func longKeys() -> [Finding] {
        var generator = SeededGenerator(seed: arguments.seed)
        let typical = CollidingKeys.randomKey(1_024, using: &generator)
        let kinds: [(String, [UInt8])] = [
            ("zeroes", [UInt8](repeating: 0, count: 1_024)), ("ones", [UInt8](repeating: 0xff, count: 1_024)),
            ("combining marks", (0..<512).flatMap { _ in [0xcc, 0x81] as [UInt8] }),
            ("not UTF-8", [UInt8](repeating: 0x80, count: 1_024)),
            ("text", (0..<1_024).map { UInt8(ascii: "a") + UInt8($0 % 26) }),
        ]
        let hasher = KeyHasher.withRandomSecrets()
        func cost(_ key: [UInt8]) -> UInt64 {
            let start = threadNanoseconds()
            var sum: UInt64 = 0
            for _ in 0..<200_000 { sum &+= hasher.hash(key.span) }
            precondition(sum != 1, "the loop must not be left out")
            return threadNanoseconds() - start
        }
        return kinds.map { name, key in
            let ratio = (0..<Self.rounds).map { _ in Double(cost(key)) / Double(cost(typical)) }.sorted()[
                Self.rounds / 2]
            return Finding(
                text: "a key of 1 KiB of \(name): \(short(ratio * 100)) % of the CPU time of a random one",
                holds: ratio < 2)
        }
    }
}
