// Entries that come at one end and go at the other:
//
//        oldest                                  next
//     ────┬───────────┬──────────────────────────┬──────
//         │ departing │ updated (even), read (odd)│ arriving
//
// What departs, is updated, is read and arrives in one turn never overlaps, so lanes may do all four at once.

/// The entries of one kind that a scenario's map holds.
struct Population: Sendable {
    let kind: String
    let bytes: Int
    private(set) var oldest = 0
    private(set) var next = 0
    private var version = 0
    private var random: SplitMix

    init(_ kind: String, bytes: Int, seed: UInt64) {
        self.kind = kind
        self.bytes = bytes
        random = SplitMix(seed: seed)
    }

    var count: Int { next - oldest }

    /// New entries.
    mutating func arrive(_ count: Int) -> [Step] {
        (0..<count).map { _ in
            next += 1
            return put(next - 1)
        }
    }

    /// Takes the oldest out of the plan; it is for the caller to delete them.
    mutating func depart(_ count: Int) -> [Key] {
        let end = min(next, oldest + max(0, count))
        defer { oldest = end }
        return (oldest..<end).map { Key(kind, $0) }
    }

    mutating func update(_ count: Int) -> [Step] { (0..<count).compactMap { _ in pick(parity: 0).map { put($0) } } }

    mutating func read(_ count: Int) -> [Step] {
        (0..<count).compactMap { _ in pick(parity: 1).map { .get(Key(kind, $0)) } }
    }

    /// Stores the newest entry again: it stays for long.
    mutating func touchNewest() -> Step { put(max(0, next - 1)) }

    private mutating func put(_ number: Int) -> Step {
        version += 1
        return .put(Key(kind, number), version: version, bytes: bytes)
    }

    private mutating func pick(parity: Int) -> Int? {
        guard count > 2 else { return nil }
        let number = Int.random(in: oldest..<next - 1, using: &random)
        return number & 1 == parity ? number : number + 1 < next ? number + 1 : nil
    }
}

extension ScenarioTime {
    /// Entries that come in each second of the fill, so that so many stand at its end.
    static func fill(_ total: Int, second: Int) -> Int { fill.contains(second) ? total / fill.count : 0 }

    /// Seconds since the accident has begun; nil before and after.
    static func accident(at second: Int) -> Int? {
        accident.contains(second) ? second - accident.lowerBound : nil
    }
}
