import InstrumentedMaps
import Instruments
import Logging

/// One warning a conflict, at most one a map and second; the next one says how many were left out.
final class ConflictLog: Sendable {
    private struct Said: Sendable {
        var at: UInt64
        var leftOut = 0
    }

    static let interval: UInt64 = 1_000_000_000

    private let logger: Logger
    private let said = LockedState<[MapName: Said]>([:])

    init(_ logger: Logger) { self.logger = logger }

    /// Any thread; called by the one whose operation came second. `found.since` of a conflict is its time.
    func note(_ conflict: MapConflict) {
        let now = MonotonicClock.nanoseconds()
        let leftOut = said.withLock { said -> Int? in
            guard let last = said[conflict.map], now &- last.at < ConflictLog.interval else {
                defer { said[conflict.map] = Said(at: now) }
                return said[conflict.map]?.leftOut ?? 0
            }
            said[conflict.map]?.leftOut += 1
            return nil
        }
        guard let leftOut else { return }
        var metadata: Logger.Metadata = [
            "map": "\(conflict.map)", "shard": "\(conflict.shard)", "kind": "\(conflict.kind.rawValue)",
            "found": "\(conflict.found.who)", "found_operation": "\(conflict.found.operation.name)",
            "found_key_hash": "\(conflict.found.keyHashText)", "holder": "\(conflict.holder.who)",
            "holder_operation": "\(conflict.holder.operation.name)",
            "holder_key_hash": "\(conflict.holder.keyHashText)",
        ]
        if leftOut > 0 { metadata["left_out"] = "\(leftOut)" }
        if let trace = RequestTrace.of(thread: conflict.found.thread) { metadata["trace_id"] = "\(trace)" }
        logger.warning("\(conflict.kind.text)", metadata: metadata)
    }
}
