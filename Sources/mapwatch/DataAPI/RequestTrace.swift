import HTTPServer
import InstrumentedMaps
import Instruments

/// The W3C trace of the request that a thread is answering, so that what is logged of it can name it.
enum RequestTrace {
    private static let traces = LockedState<[UInt32: String]>([:])

    /// Does `body`, which answers a request with these headers; without a valid `traceparent` it costs a look at them.
    static func with<R>(_ headers: HTTPHeaders, _ body: () -> R) -> R {
        guard let trace = headers.first("traceparent").flatMap(traceID) else { return body() }
        let thread = Caller.currentThread
        traces.withLock { $0[thread] = trace }
        defer { traces.withLock { $0[thread] = nil } }
        return body()
    }

    /// The trace of what the thread of this number answers now.
    static func of(thread: UInt32) -> String? { traces.withLock { $0[thread] } }

    /// The 32 hex digits in `version-TRACE-parent-flags`.
    static func traceID(_ header: String) -> String? {
        let parts = header.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].count == 2, parts[1].count == 32, parts[2].count == 16,
            parts[1].allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }),
            parts[1].contains(where: { $0 != 0x30 })
        else { return nil }
        return String(decoding: parts[1], as: UTF8.self)
    }
}
