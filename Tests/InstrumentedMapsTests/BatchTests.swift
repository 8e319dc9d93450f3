import InstrumentedMaps
import TestSupport
import Testing

@Suite("Batches")
struct BatchTests {
    @Test(
        "a batch does and counts what its operations do and count one by one, in their order",
        arguments: MapShape.all, [1, 2, 3] as [UInt64])
    func batchEqualsSequence(shape: MapShape, seed: UInt64) throws {
        let (together, alone) = (try shape.make(), try shape.make())
        var generator = SeededGenerator(seed: seed)
        var batch = MapBatch()
        for _ in 0..<60 {
            batch.removeAll()
            var expected: [(MapBatch.Outcome, [UInt8]?)] = []
            // Few keys, so that a batch meets what it has just done itself.
            for _ in 0..<Int.random(in: 0...50, using: &generator) {
                let key = Array("key \(Int.random(in: 0..<40, using: &generator))".utf8)
                let value = [UInt8](
                    repeating: .random(in: 0...255, using: &generator), count: .random(in: 0...3000, using: &generator))
                switch Int.random(in: 0..<3, using: &generator) {
                case 0:
                    batch.load(key.span)
                    let loaded = alone.load(key)
                    expected.append((loaded == nil ? .absent : .found, loaded))
                case 1:
                    batch.store(key.span, value.span)
                    expected.append((.stored(alone.store(key, value)), nil))
                default:
                    batch.delete(key.span)
                    expected.append((alone.delete(key) ? .deleted : .absent, nil))
                }
            }
            together.perform(&batch)
            #expect(batch.count == expected.count)
            for (index, (outcome, value)) in expected.enumerated() {
                #expect(batch.outcome(of: index) == outcome, "operation \(index), seed \(seed)")
                #expect(batch.value(of: index) == value, "operation \(index), seed \(seed)")
            }
        }
        let differing = zip(counts(of: together), counts(of: alone)).filter { $0 != $1 }
        #expect(differing.isEmpty)
    }

    @Test("a key of no bytes is one key, in a batch and by itself", arguments: MapShape.all)
    func emptyKey(shape: MapShape) throws {
        let map = try shape.make()
        var batch = MapBatch()
        let (none, some, value) = ([UInt8](), [UInt8(1)], [UInt8](repeating: 7, count: 20))
        for _ in 0..<3 {
            batch.store(some.span, value.span)
            batch.store(none.span, value.span)
            batch.load(none.span)
        }
        map.perform(&batch)
        #expect(map.count == 2)
        #expect((0..<9).map { batch.outcome(of: $0) }.filter { $0 == .found }.count == 3)
        #expect(map.load(none) == value)
        #expect(map.delete(none) && !map.delete(none))
    }

    @Test("a store that is refused is told as such, and the rest of the batch goes on")
    func refusal() throws {
        let host = MapHost { 0 }
        let name = try MapName("small")
        _ = try host.create(name, MapOptions(shards: 1, maximumBytes: MapOptions.smallestMaximumBytes))
        let map = try host.mapForWriting(name)
        var batch = MapBatch()
        let (key, large) = (Array("large".utf8), [UInt8](repeating: 1, count: MapOptions.smallestMaximumBytes))
        batch.store(key.span, large.span)
        batch.load(key.span)
        batch.store(key.span, [2].span)
        batch.load(key.span)
        map.perform(&batch)
        #expect((0..<4).map { batch.outcome(of: $0) } == [.stored(.refused), .absent, .stored(.inserted), .found])
        #expect(batch.value(of: 3) == [2])
    }

    /// What a map has counted, but for the lock, which a batch takes more often.
    ///
    /// Bytes are left out: the heap's blocks for large values need not be of one size.
    private func counts(of map: any InstrumentedMap) -> [[UInt64]] {
        map.snapshot().shards.map {
            [$0.inserts, $0.updates, $0.deletes, $0.deleteMisses, $0.loads, $0.loadMisses, $0.entries]
        }
    }
}
