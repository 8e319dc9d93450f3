import Instruments

// A weak walk, one shard at a time:
//
//     shard 0        shard 1                          shard 2 …
//     [done]         keys copied when it was entered  [not seen yet]
//                     └─ each looked up again when its turn comes; gone ones are skipped
//
// A key that is present throughout is in its shard's copy, so it is never omitted; a shard is entered once, so no key
// comes twice, whatever grows or shifts meanwhile. Copying keys bounds the memory to those of one shard.
//
// It ends: each shard is entered once, and each of the keys that were copied there takes one step. So its steps are at
// most the entries that the shards held as they were entered, however fast others insert, and whatever the table does.

/// Walks a map while it changes. It counts as open on the map until its last entry was handed out or it is let go.
final class LiveIterator<Guard: ShardGuard & ~Copyable, Table: ByteKeyedTable & ~Copyable, Records: RecordKeeping>:
    MapIterator, Sendable
{
    private struct Position {
        var shard = 0
        var keys: [[UInt8]] = []
        var nextKey = 0
    }

    private let map: ByteMap<Guard, Table, Records>
    private let prefix: [UInt8]
    private let position = LockedState(Position())
    private let ticket: OpenIterator

    init(map: ByteMap<Guard, Table, Records>, prefix: [UInt8]) {
        self.map = map
        self.prefix = prefix
        ticket = map.iterators.open()
        position.withLock { advance(&$0) }
        if isAtEnd { ticket.close() }
    }

    func next(limit: Int, maximumBytes: Int) -> [MapEntry] {
        position.withLock { position in
            var page: [MapEntry] = []
            var bytes = 0
            while page.count < limit, bytes < max(1, maximumBytes), position.nextKey < position.keys.count,
                ticket.stop == nil
            {
                let key = position.keys[position.nextKey]
                position.nextKey += 1
                if let value = map.peek(key) {
                    page.append(MapEntry(key: key, value: value))
                    bytes += key.count + value.count
                }
                advance(&position)
            }
            if ticket.stop != nil { position.keys = [] }
            if position.nextKey >= position.keys.count { ticket.close() } else { ticket.move() }
            return page
        }
    }

    var heldBytes: Int { position.withLock { $0.keys.reduce(0) { $0 + $1.count } } }

    var isAtEnd: Bool { ticket.stop != nil || position.withLock { $0.nextKey >= $0.keys.count } }

    var stop: IterationStop? { ticket.stop }

    func abandon() { ticket.close(.lease) }

    /// Enters shards until one has a key to show, or none is left.
    private func advance(_ position: inout Position) {
        while position.nextKey >= position.keys.count, position.shard < map.options.shards {
            position.keys = map.enterShard(position.shard, prefix: prefix)
            position.nextKey = 0
            position.shard += 1
        }
    }
}
