import Glibc
import Scenarios

/// Random numbers that a seed repeats, the same as the demo's.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var numbers: SplitMix

    public init(seed: UInt64) { numbers = SplitMix(seed: seed) }

    public mutating func next() -> UInt64 { numbers.next() }
}

/// The seed of this run: fresh, or what `MAPWATCH_TEST_SEED` says to see a failure again.
public enum TestSeed {
    public static let value: UInt64 = {
        if let text = unsafe getenv("MAPWATCH_TEST_SEED"), let seed = UInt64(unsafe String(cString: text)) {
            return seed
        }
        return UInt64.random(in: 1...UInt64(UInt32.max))
    }()

    /// For the comment of an expectation.
    public static var note: String { "MAPWATCH_TEST_SEED=\(value)" }
}
