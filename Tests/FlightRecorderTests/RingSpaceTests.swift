import TestSupport
import Testing

@testable import FlightRecorder

@Suite("The room in a recording")
struct RingSpaceTests {
    @Test("no two maps ever share a ring, and all room comes back")
    func random() {
        var numbers = SeededGenerator(seed: TestSeed.value)
        var space = RingSpace(rings: 64, entries: 6)
        var lent: [RingSpace.Place] = []
        for _ in 0..<5_000 {
            if Bool.random(using: &numbers), let index = lent.indices.randomElement(using: &numbers) {
                space.giveBack(lent.remove(at: index))
            } else if let (place, _) = space.take(Int.random(in: 1...20, using: &numbers)) {
                lent.append(place)
            }
            let rings = lent.flatMap { Array($0.rings) }
            #expect(Set(rings).count == rings.count, "\(TestSeed.note)")
            #expect(Set(lent.map(\.entry)).count == lent.count, "\(TestSeed.note)")
        }
        for place in lent { space.giveBack(place) }
        #expect(space.largestPiece == 64)
    }

    @Test("what cannot be had costs nobody's evidence")
    func refused() {
        var space = RingSpace(rings: 8, entries: 4)
        let kept = space.take(5)?.place
        let dropped = space.take(2)?.place
        if let dropped { space.giveBack(dropped) }
        #expect(space.take(4) == nil)
        #expect(space.givenBack == [dropped].compactMap { $0 })
        #expect(kept?.rings == 0..<5)
        #expect(space.largestPiece == 3)
    }
}
