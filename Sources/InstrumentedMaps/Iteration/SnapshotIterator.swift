import Instruments

/// Hands out entries that were all copied when the iteration began.
final class SnapshotIterator: MapIterator, Sendable {
    private let entries: [MapEntry]
    private let position = Counter()

    let heldBytes: Int

    init(entries: [MapEntry]) {
        self.entries = entries
        heldBytes = entries.reduce(0) { $0 + $1.size }
    }

    func next(limit: Int, maximumBytes: Int) -> [MapEntry] {
        let start = Int(position.value)
        var end = start
        var bytes = 0
        while end < entries.count, end - start < limit, bytes < max(1, maximumBytes) {
            bytes += entries[end].size
            end += 1
        }
        position.set(UInt64(end))
        return Array(entries[start..<end])
    }

    var isAtEnd: Bool { Int(position.value) == entries.count }
}
