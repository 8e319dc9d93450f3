// Which rings of the file are whose. A dropped map's rings stay as they are, readable, until room is needed; then the
// one that was dropped first goes first.

/// The room in a recording. A value; its owner guards it.
struct RingSpace: Sendable {
    /// An entry of the directory and the rings that it names.
    struct Place: Hashable, Sendable {
        let entry: Int
        let rings: Range<Int>
    }

    let rings: Int
    /// In order, never touching each other.
    private var freeRings: [Range<Int>]
    private var freeEntries: [Int]
    /// The one that was given back first stands first.
    private(set) var givenBack: [Place] = []

    init(rings: Int, entries: Int) {
        self.rings = rings
        freeRings = [0..<rings]
        freeEntries = Array((0..<entries).reversed())
    }

    /// Rings that nobody needs any more, in the longest piece there could be.
    var largestPiece: Int {
        var empty = self
        while empty.reuseOldest() != nil {}
        return empty.freeRings.map(\.count).max() ?? 0
    }

    /// Room for a map, and the places whose evidence had to go for it; nil, and nothing changes, when there is none.
    mutating func take(_ count: Int) -> (place: Place, overwritten: [Place])? {
        var changed = self
        var overwritten: [Place] = []
        while true {
            if let entry = changed.freeEntries.last,
                let index = changed.freeRings.firstIndex(where: { $0.count >= count })
            {
                changed.freeEntries.removeLast()
                let piece = changed.freeRings[index]
                let taken = piece.lowerBound..<piece.lowerBound + count
                changed.freeRings[index] = taken.upperBound..<piece.upperBound
                if changed.freeRings[index].isEmpty { changed.freeRings.remove(at: index) }
                self = changed
                return (Place(entry: entry, rings: taken), overwritten)
            }
            guard let place = changed.reuseOldest() else { return nil }
            overwritten.append(place)
        }
    }

    /// A map is gone; its evidence stays.
    mutating func giveBack(_ place: Place) { givenBack.append(place) }

    private mutating func reuseOldest() -> Place? {
        guard !givenBack.isEmpty else { return nil }
        let place = givenBack.removeFirst()
        freeEntries.append(place.entry)
        let index = freeRings.firstIndex { $0.lowerBound > place.rings.lowerBound } ?? freeRings.count
        freeRings.insert(place.rings, at: index)
        if index + 1 < freeRings.count, freeRings[index].upperBound == freeRings[index + 1].lowerBound {
            freeRings[index] = freeRings[index].lowerBound..<freeRings.remove(at: index + 1).upperBound
        }
        if index > 0, freeRings[index - 1].upperBound == freeRings[index].lowerBound {
            freeRings[index - 1] = freeRings[index - 1].lowerBound..<freeRings.remove(at: index).upperBound
        }
        return place
    }
}
