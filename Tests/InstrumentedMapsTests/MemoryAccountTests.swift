import CSystem
import Glibc
import TestSupport
import Testing

@testable import InstrumentedMaps

@Suite("Memory account")
struct MemoryAccountTests {
    /// What an entry costs by the definition of `mem_map_size_bytes`: header, key and value, rounded up to units of 16
    /// bytes, or beyond 2 KiB as the heap rounds them (a multiple of 16 with its size word of 8), and the index word.
    private static func bytes(key: Int, value: Int) -> UInt64 {
        let size = 12 + key + value
        return UInt64((size <= 2048 ? size : size + 8) + 15) / 16 * 16 + 8
    }

    @Test("the heap rounds as the account assumes")
    func heapRounds() {
        for size in [2_049, 2_056, 2_057, 4_096, 100_000] {
            guard let block = unsafe malloc(size) else {
                Issue.record("no memory")
                return
            }
            defer { unsafe free(block) }
            let chunk = unsafe mapwatch_usable_size(block) + 8
            let least = (size + 8 + 15) / 16 * 16
            // A remainder too small for a chunk of its own stays with its neighbour.
            #expect(chunk == least || chunk == least + 16, "size \(size)")
        }
    }

    @Test("an empty map takes nothing", arguments: MapShape.all)
    func emptyIsZero(shape: MapShape) throws {
        let snapshot = try shape.make().snapshot()
        #expect(snapshot.sum(\.liveBytes) == 0)
        #expect(snapshot.sum(\.allocatedBytes) == 0)
        #expect(snapshot.sum(\.capacity) == 0)
    }

    @Test(
        "each insert adds its entry's bytes, each delete takes exactly those away at once", .timeLimit(.minutes(2)),
        arguments: MapShape.all)
    func eachEntryIsAccounted(shape: MapShape) throws {
        let map = try shape.make()
        var generator = SeededGenerator(seed: TestSeed.value)
        let sizes = (0..<400).map { _ in Int.random(in: 0...3_000, using: &generator) } + [0, 1, 65_536]
        var added: [UInt64] = []
        var last: UInt64 = 0
        for (number, size) in sizes.enumerated() {
            map.store(key(number), [UInt8](repeating: 7, count: size))
            let now = map.snapshot().sum(\.liveBytes)
            added.append(now - last)
            last = now
            let least = Self.bytes(key: key(number).count, value: size)
            #expect(added[number] == least || added[number] == least + 16, "value of \(size), \(TestSeed.note)")
        }
        for number in sizes.indices.shuffled(using: &generator) {
            map.delete(key(number))
            let now = map.snapshot().sum(\.liveBytes)
            #expect(now == last - added[number], "\(TestSeed.note)")
            last = now
        }
        // The index stays, as small as it gets, and the directory of the slabs.
        let most = 40_000 + 1024 * UInt64(map.options.shards)
        if shape.reads == .optimistic { map.settle(holdingAtMost: most) }
        let snapshot = map.snapshot()
        #expect(snapshot.sum(\.liveBytes) == 0)
        #expect(snapshot.sum(\.capacity) <= 16 * UInt64(map.options.shards))
        #expect(snapshot.sum(\.allocatedBytes) <= most)
    }

    @Test("a delete by match lowers the bytes too", arguments: MapShape.all)
    func matchLowersBytes(shape: MapShape) throws {
        let map = try shape.make()
        for number in 0..<100 { map.store(key(number), [UInt8](repeating: 7, count: 500)) }
        let full = map.snapshot().sum(\.liveBytes)
        let deleted = map.deleteMatching { $0[$0.count - 1] == UInt8(ascii: "3") }
        #expect(deleted == 10)
        let least = Self.bytes(key: key(13).count, value: 500) * 10
        let fallen = full - map.snapshot().sum(\.liveBytes)
        #expect((least...least + 160).contains(fallen))
    }

    @Test("a value that shrinks gives its block back, one that fits stays", arguments: MapShape.all)
    func shrinkingGivesBack(shape: MapShape) throws {
        let map = try shape.make()
        map.store([1], [UInt8](repeating: 1, count: 1_000))
        let large = map.snapshot().sum(\.liveBytes)
        map.store([1], [UInt8](repeating: 1, count: 997))
        #expect(map.snapshot().sum(\.liveBytes) == large, "the same multiple of 16")
        map.store([1], [])
        let small = map.snapshot().sum(\.liveBytes)
        #expect(small == Self.bytes(key: 1, value: 0) || small == Self.bytes(key: 1, value: 0) + 16)
        map.store([1], [UInt8](repeating: 1, count: 1 << 20))
        #expect(map.snapshot().sum(\.liveBytes) >= 1 << 20)
        map.delete([1])
        #expect(map.snapshot().sum(\.liveBytes) == 0)
    }

    // In a process of its own: other tests would move the allocator's figures.
    @Test("allocated bytes are within 2 % of what the allocator holds", arguments: MapShape.oneEach.indices)
    func allocatedBytesAreTrue(shape: Int) async {
        await #expect(processExitsWith: .success) { [shape = shape as Int, seed = TestSeed.value as UInt64] in
            let map = try MapShape.oneEach[shape].make()
            var generator = SeededGenerator(seed: seed)
            /// The heap and the pages beside it, without the slabs that are addresses only.
            func bytesHeld() -> Int {
                Int(mapwatch_allocator_bytes_in_use()) + PageMemory.bytesMapped - SlabPool.shared.bytesFree
            }
            let before = bytesHeld()

            func expectTruth(_ when: String) {
                let held = Double(bytesHeld() - before)
                let shown = Double(map.snapshot().sum(\.allocatedBytes))
                #expect(abs(shown / held - 1) < 0.02, "\(when): shows \(shown), holds \(held), seed \(seed)")
            }

            for number in 0..<200_000 {
                let size = number % 1_000 == 0 ? 200_000 : Int.random(in: 0...200, using: &generator)
                map.store(key(number), [UInt8](repeating: 1, count: size))
            }
            #expect(map.snapshot().sum(\.entries) == 200_000)
            expectTruth("filled")
            for number in 0..<200_000 where number % 4 != 0 { map.delete(key(number)) }
            expectTruth("three quarters deleted")
            for number in 0..<50_000 { map.store(key(number), [UInt8](repeating: 1, count: number % 600)) }
            expectTruth("changed")
        }
    }
}
