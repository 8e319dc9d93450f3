import Glibc

/// SplitMix64: the same seed gives the same numbers, on every machine.
public struct SeededGenerator: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) { state = seed }

    public mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
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
