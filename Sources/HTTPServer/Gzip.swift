import CZlib

/// gzip over the system's zlib.
public enum Gzip {
    /// One gzip member of all `bytes`; nil when zlib has no memory for it.
    ///
    /// The fastest level: an exposition is so repetitive that the next ones save a few more per cent of it at several
    /// times the time, and a scrape has a deadline. Cost: linear, some 5 ns a byte.
    public static func compress(_ bytes: [UInt8]) -> [UInt8]? {
        let bound = czlib_gzip_bound(bytes.count)
        // Safety: zlib reads within `bytes` and writes at most `bound` bytes into the array's own storage; what it says
        // it has written is initialised.
        let compressed = unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, written in
            written = unsafe bytes.withUnsafeBytes { input in
                unsafe czlib_gzip(input.baseAddress, input.count, output.baseAddress, bound, 1)
            }
        }
        return compressed.isEmpty ? nil : compressed
    }
}
