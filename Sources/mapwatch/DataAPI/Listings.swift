import Instruments
import InstrumentedMaps

// Listings that have a next page: a token, an iterator and the time when nobody waits for it any more.
//
//     GET …/entries ──▶ page 1 + cursor T ──▶ GET …?cursor=T ──▶ page 2 + T ──▶ … ──▶ last page + null
//                              └─ each page renews T; a token that nobody uses ends at its time
//
// A snapshot holds copies and a live listing holds keys, so both number and bytes are bounded: a stranger can open
// listings faster than they expire.

/// The open listings of all maps. Concurrency: any thread.
final class Listings: Sendable {
    /// Open listings at once.
    static let maximumOpen = 256
    /// Bytes that all open snapshots may hold together.
    static let maximumSnapshotBytes = 256 << 20
    /// Seconds that a listing waits for its next page to be asked for, where nobody says otherwise. A live one holds a
    /// lease on the map: as long as it is open, deletes count as deletes during an iteration.
    static func lifetime(_ kind: IterationKind) -> Int {
        switch kind {
        case .live: 120
        case .snapshot: 60
        }
    }
    /// What a client may ask for as the lease of a live listing.
    static let leaseRange = 1...600

    /// A listing between two pages.
    struct Listing: Sendable {
        let map: MapName
        let kind: IterationKind
        let prefix: [UInt8]
        let iterator: any MapIterator
        /// Seconds that it waits for each next page.
        let lifetime: Int
    }

    private struct Held: Sendable {
        let listing: Listing
        let bytes: Int
        var expires: UInt64
    }

    private let held = LockedState<[String: Held]>([:])
    private let nanoseconds: @Sendable () -> UInt64

    /// `nanoseconds` is a monotonic clock.
    init(nanoseconds: @escaping @Sendable () -> UInt64) { self.nanoseconds = nanoseconds }

    /// Bytes that a new snapshot may still copy.
    var freeSnapshotBytes: Int {
        held.withLock { held in
            Listings.maximumSnapshotBytes
                - held.values.reduce(0) { $0 + ($1.listing.kind == .snapshot ? $1.bytes : 0) }
        }
    }

    /// Keeps a listing that has a next page; nil when too many are open.
    func keep(_ listing: Listing) -> String? {
        expire()
        let token = Listings.makeToken()
        let expires = deadline(listing)
        let bytes = listing.iterator.heldBytes
        return held.withLock { held in
            guard held.count < Listings.maximumOpen else { return nil }
            held[token] = Held(listing: listing, bytes: bytes, expires: expires)
            return token
        }
    }

    /// The listing of a token, renewed; nil when it has ended.
    func resume(_ token: String) -> Listing? {
        expire()
        return held.withLock { held in
            guard let listing = held[token]?.listing else { return nil }
            held[token]?.expires = deadline(listing)
            return listing
        }
    }

    /// Ends a listing early; false when it has ended already.
    func end(_ token: String, of map: MapName) -> Bool {
        expire()
        return held.withLock { held in
            guard held[token]?.listing.map == map else { return false }
            held[token] = nil
            return true
        }
    }

    /// Ends the listings of a map that is dropped.
    func endAll(of map: MapName) {
        held.withLock { held in held = held.filter { $0.value.listing.map != map } }
    }

    /// Ends the listings whose time is over. Called by whoever looks, and each second.
    func expire() {
        let now = nanoseconds()
        held.withLock { held in
            guard held.contains(where: { $0.value.expires <= now }) else { return }
            for over in held.values where over.expires <= now { over.listing.iterator.abandon() }
            held = held.filter { $0.value.expires > now }
        }
    }

    /// Open listings now.
    var count: Int { held.withLock { $0.count } }

    /// Open listings of one kind now.
    func count(_ kind: IterationKind) -> Int {
        held.withLock { held in held.values.reduce(0) { $0 + ($1.listing.kind == kind ? 1 : 0) } }
    }

    private func deadline(_ listing: Listing) -> UInt64 {
        nanoseconds() + UInt64(listing.lifetime) * 1_000_000_000
    }

    /// 128 random bits: whoever has not been given a token cannot guess one.
    private static func makeToken() -> String {
        var random = SystemRandomNumberGenerator()
        let halves = [random.next(), random.next()].map { (half: UInt64) in
            let digits = String(half, radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }
        return halves.joined()
    }
}
