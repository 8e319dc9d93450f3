/// What a trial does, and how often.
public struct Plan: Sendable {
    /// Threads that fight over the hot keys.
    public var threads = 8
    /// Operations on hot keys by those threads, over all rounds.
    public var operations: Int
    /// Operations of one round; after each round everything stands still and is checked.
    public var round: Int
    /// So few that operations meet.
    public var keys = 4
    public var seed: UInt64
    /// Whether tables keep their shape: nothing grows, shrinks or is compacted beside the hot keys, and all values have
    /// one size. For faults that would corrupt a table and crash before anybody can look.
    public var isCalm = false
    /// Whether the map's counters are held against what was answered.
    public var keepsLedger = true

    public init(operations: Int, round: Int, seed: UInt64) {
        self.operations = operations
        self.round = round
        self.seed = seed
    }

    /// The hot key of a number. Every hot key begins with 1, which no other key does.
    static func hotKey(_ number: Int) -> [UInt8] {
        [1, UInt8(truncatingIfNeeded: number), 0xff] + filling(number)
    }

    /// The key of a number of the one thread that churns.
    static func churnKey(_ number: Int) -> [UInt8] {
        [2, UInt8(truncatingIfNeeded: number >> 8), UInt8(truncatingIfNeeded: number)] + filling(number)
    }

    /// Makes keys of 3, 8, 12 and 16 bytes: those from 8 on go another way through a table.
    private static func filling(_ number: Int) -> [UInt8] { [UInt8](repeating: 7, count: [0, 5, 9, 13][number % 4]) }
}
