import Instruments

/// What one shard counts of entries that expire, in cells that a scrape reads without a lock.
///
/// An object of its own, which the table writes when it meets a deadline: where nothing expires nobody touches it.
@usableFromInline
final class ExpiryCounters: Sendable {
    /// Entries that went because their time was over: deletes.
    let expirations = Counter()
    /// Entries that have a deadline now.
    let deadlines = Counter()
}
