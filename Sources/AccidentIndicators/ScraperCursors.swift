public import InstrumentedMaps

/// One scraper, as its completed scrapes showed it.
public struct Scraper: Sendable, Equatable {
    /// What a stranger may have chosen.
    public let name: String
    /// Monotonic time of its last reading.
    public let lastNanoseconds: UInt64
    /// Between its last two readings; nil before the second.
    public let intervalNanoseconds: UInt64?
    public let scrapes: UInt64
}

/// Where each scraper stands: the reading of its last completed scrape.
///
/// A stranger can invent scrapers, so at most ``limit`` are kept and the one that has been silent longest goes first.
/// A pure value: the caller brings readings and guards it with a lock. Cost: linear in the shards of all maps.
public struct ScraperCursors: Sendable {
    public static let limit = 64

    private struct Cursor {
        var reading: SizeReading
        var lastUse: UInt64
        /// Between the last two readings; nil before the second.
        var interval: UInt64?
        var scrapes: UInt64 = 1
    }

    private var cursors: [String: Cursor] = [:]
    private var uses: UInt64 = 0
    /// Cursors that had to go for others.
    public private(set) var dropped: UInt64 = 0

    public init() {}

    public var count: Int { cursors.count }

    /// Who scrapes, by name.
    public var scrapers: [Scraper] {
        cursors.map { name, cursor in
            Scraper(
                name: name, lastNanoseconds: cursor.reading.nanoseconds, intervalNanoseconds: cursor.interval,
                scrapes: cursor.scrapes)
        }.sorted { $0.name < $1.name }
    }

    /// What has changed since this scraper's last completed scrape; nil on its first, and when a scrape that overlapped
    /// has completed with a later reading meanwhile. Moves nothing.
    public func changes(for scraper: String, to reading: SizeReading, in maps: [MapSnapshot]) -> SizeDeltas? {
        guard let cursor = cursors[scraper], cursor.reading.nanoseconds <= reading.nanoseconds else { return nil }
        return reading.changes(since: cursor.reading, in: maps)
    }

    /// Moves the cursor to `reading`, once the scrape that carried it has been sent. Of two scrapes that overlapped the
    /// later reading stays.
    public mutating func advance(_ scraper: String, to reading: SizeReading) {
        uses += 1
        if let cursor = cursors[scraper] {
            cursors[scraper]?.lastUse = uses
            cursors[scraper]?.scrapes += 1
            if reading.nanoseconds > cursor.reading.nanoseconds {
                cursors[scraper]?.interval = reading.nanoseconds - cursor.reading.nanoseconds
                cursors[scraper]?.reading = reading
            }
            return
        }
        if cursors.count == ScraperCursors.limit,
            let oldest = cursors.min(by: { $0.value.lastUse < $1.value.lastUse })
        {
            cursors[oldest.key] = nil
            dropped += 1
        }
        cursors[scraper] = Cursor(reading: reading, lastUse: uses)
    }
}
