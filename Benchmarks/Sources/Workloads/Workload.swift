/// Shares of gets, sets and deletes, in per cent.
public struct Mix: Sendable, Hashable, CustomStringConvertible {
    public let gets: Int
    public let sets: Int
    public let deletes: Int

    public init(_ gets: Int, _ sets: Int, _ deletes: Int) {
        precondition(gets + sets + deletes == 100, "a mix adds up to 100 per cent")
        (self.gets, self.sets, self.deletes) = (gets, sets, deletes)
    }

    public var description: String { "\(gets)/\(sets)/\(deletes)" }

    func kind(_ random: inout Random) -> OperationKind {
        let dice = random.next(below: 100)
        if dice < gets { return .get }
        return dice < gets + sets ? .set : .delete
    }
}

/// Which keys are asked for how often.
public enum Distribution: String, Sendable {
    case uniform
    /// Zipf with exponent 0.99, scrambled: a fixed permutation says which key has which rank.
    case zipf
}

/// The keys of a benchmark and the lists of operations over them; the same for the same seed.
public struct Workload: Sendable {
    public static let valueLength = 100

    public let seed: UInt64
    /// One set per key, in the order of the keys.
    private let sets: [Operation]
    private let keyOfRank: [Int32]
    private let zipf: Zipf

    public init(keys: Int, seed: UInt64 = benchmarkSeed) {
        self.seed = seed
        sets = (0..<keys).map { Operation(.set, keyNumber: $0) }
        var random = Random(seed: seed)
        var keyOfRank = (0..<Int32(keys)).map { $0 }
        for index in stride(from: keys - 1, to: 0, by: -1) { keyOfRank.swapAt(index, random.next(below: index + 1)) }
        self.keyOfRank = keyOfRank
        zipf = Zipf(count: keys, exponent: 0.99)
    }

    public var keys: Int { sets.count }

    /// For each of so many threads a slice of all keys to set: a full map.
    public func filling(threads: Int) -> [OperationList] {
        (0..<threads).map { OperationList(sets[slice($0, of: threads)]) }
    }

    /// One get per key: what a map holds.
    public var reading: OperationList { OperationList(sets.map { $0.with(.get) }) }

    /// For each thread its own operations.
    public func lists(
        _ mix: Mix, _ distribution: Distribution, threads: Int, operationsPerThread: Int
    ) -> [OperationList] {
        (0..<threads).map { thread in
            var random = Random(seed: seed &+ UInt64(thread))
            return OperationList(
                (0..<operationsPerThread).map { _ in operation(mix, distribution, keys: 0..<keys, &random) })
        }
    }

    /// As ``lists(_:_:threads:operationsPerThread:)``, uniform over keys that no other thread touches: whatever the
    /// threads' order, the map ends with the same contents.
    public func disjointLists(_ mix: Mix, threads: Int, operationsPerThread: Int) -> [OperationList] {
        (0..<threads).map { thread in
            var random = Random(seed: seed &+ UInt64(thread))
            let own = slice(thread, of: threads)
            return OperationList((0..<operationsPerThread).map { _ in operation(mix, .uniform, keys: own, &random) })
        }
    }

    private func slice(_ thread: Int, of threads: Int) -> Range<Int> {
        keys * thread / threads..<keys * (thread + 1) / threads
    }

    private func operation(
        _ mix: Mix, _ distribution: Distribution, keys: Range<Int>, _ random: inout Random
    ) -> Operation {
        let key =
            switch distribution {
            case .uniform: keys.lowerBound + random.next(below: keys.count)
            case .zipf: Int(keyOfRank[zipf.next(&random)])
            }
        return sets[key].with(mix.kind(&random))
    }
}
