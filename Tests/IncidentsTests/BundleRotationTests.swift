import InstrumentedMaps
import Testing

@testable import Incidents

@Suite("Which bundles go")
struct BundleRotationTests {
    private func bundle(_ number: Int, bytes: Int = 10, isFirst: Bool = false) -> StoredBundle {
        StoredBundle(
            summary: IncidentSummary(
                id: IncidentID(millisecondsSince1970: UInt64(number) * 1000, number: number), kind: .manual, map: nil,
                seconds: Double(number), note: "", isFirstOfHour: isFirst), bytes: bytes)
    }

    private func victims(_ stored: [StoredBundle], adding: Int = 10, limit: Int, count: Int = 1000) -> [Int]? {
        BundleRotation.victims(among: stored, adding: adding, maximumBytes: limit, maximumCount: count).map { ids in
            ids.compactMap { id in stored.firstIndex { $0.summary.id == id } }
        }
    }

    @Test("nothing goes while there is room")
    func room() {
        #expect(victims([bundle(1), bundle(2)], limit: 30) == [])
    }

    @Test("the oldest go first, but those that were first in their hour last")
    func order() {
        let stored = [bundle(1, isFirst: true), bundle(2), bundle(3, isFirst: true), bundle(4)]
        #expect(victims(stored, limit: 40) == [1])
        #expect(victims(stored, limit: 30) == [1, 3])
        #expect(victims(stored, limit: 20) == [1, 3, 0])
        #expect(victims(stored, limit: 10) == [1, 3, 0, 2])
    }

    @Test("a bundle that is larger than all room costs no other")
    func tooLarge() {
        #expect(victims([bundle(1)], adding: 11, limit: 10) == nil)
    }

    @Test("however small they are, there are only so many")
    func count() {
        #expect(victims((1...5).map { bundle($0) }, limit: 1 << 20, count: 3) == [0, 1, 2])
    }
}
