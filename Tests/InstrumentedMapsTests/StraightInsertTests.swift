import Testing

@testable import InstrumentedMaps

@Suite("Straight inserts")
struct StraightInsertTests {
    @Test("one that moves the index's words says so, and every entry is found where they are then")
    func tail() {
        var table = ByteTable()
        let whereabouts = TableWhereabouts()
        var shown: TableState?
        var moved = 0
        let keys = (0..<400).map { [UInt8](repeating: 7, count: 8) + [UInt8($0 & 0xff), UInt8($0 >> 8)] }
        // Places, which are odd, that all have the last slot for their home, so that they run over the end of the array.
        func hash(_ number: Int) -> KeyHash { KeyHash(bits: UInt64(UInt32.max - 2 * UInt32(number))) }

        for (number, key) in keys.enumerated() {
            let short = ShortKey(key.span)
            let place = hash(number).place
            let slot: HashIndex.Position?? = unsafe ByteTable.search(short, place, by: whereabouts) { _, _, _ in
                nil
            } absent: {
                $0
            }
            if let slot, let slot,
                let entry = unsafe table.insert(place, size: Record.size(key: key.count, value: key.count), at: slot)
            {
                unsafe entry.record.write(place: place, key: short, value: key.span)
                let hasMoved = unsafe entry.hasMoved
                #expect((table.state != shown) == hasMoved, "entry \(number)")
                if hasMoved { moved += 1 }
            } else {
                #expect(table.store(key.span, hash(number), value: key.span) == .inserted)
            }
            if table.state != shown { table.show(whereabouts) }
            shown = table.state
        }

        #expect(moved > 0)
        for (number, key) in keys.enumerated() {
            #expect(table.find(key.span, hash(number), by: whereabouts) == key)
        }
    }
}
