import Testing

@testable import InstrumentedMaps

/// Which cache lines an operation touches is what its speed depends on, and nothing else says when a field moves.
@Suite("Memory layout")
struct MemoryLayoutTests {
    private static let line: UInt = 64

    private func shards(_ count: Int) -> Shards<ExclusiveGuard, ByteTable> {
        let iterators = OpenIterators(.allow)
        return Shards(count: count) { _ in
            Shard(ExclusiveGuard(nil), ByteTable(budget: MemoryBudget(), clock: .system, ttlSeconds: nil), iterators)
        }
    }

    private func address<T: ~Copyable>(_ value: borrowing T) -> UInt {
        unsafe withUnsafePointer(to: value) { UInt(bitPattern: $0) }
    }

    @Test("shards begin at two lines of their own")
    func alignment() {
        let shards = shards(3)
        for index in 0..<3 { #expect(address(shards[index].writes) % 128 == 0) }
    }

    @Test("what a load needs of its shard is one line, and what a write counts the line before")
    func hotLine() {
        let shards = shards(1)
        let hot = address(shards[0].loads) / MemoryLayoutTests.line
        #expect(address(shards[0].whereabouts) / MemoryLayoutTests.line == hot)
        // The lock's word and its entrances are the guard's first sixteen bytes.
        #expect((address(shards[0].shardGuard) + 15) / MemoryLayoutTests.line == hot)
        #expect(address(shards[0].writes) / MemoryLayoutTests.line == hot - 1)
        #expect(MemoryLayout<WriteCounters>.size == 64)
    }

    @Test("the record store begins in the index's last line")
    func table() {
        #expect(MemoryLayout<HashIndex>.size == 64 + 64 + 32)
    }
}
