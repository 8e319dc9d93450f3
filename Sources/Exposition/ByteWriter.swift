// Appends text to memory that was measured beforehand.
//
// Why not `[UInt8].append`: each call checks for uniqueness and capacity and may grow; a scrape of 180,000 series makes
// a million of them. Here one line is two copies and a few digits, at some 30 ns, several times faster (measured by
// `Benchmarks/Sources/ScrapeBench`).

import Glibc

/// Writes bytes one after the other into memory of a fixed size.
///
/// Safety: every write is checked against the end of the memory and traps past it, so a wrong measure is a crash and
/// never a wild write. The memory is valid for as long as the closure runs that the writer is handed to.
@safe
struct ByteWriter: ~Copyable {
    private let start: UnsafeMutableRawPointer
    private var cursor: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    private init(_ memory: UnsafeMutableRawBufferPointer) {
        // Safety: an array's storage has an address even when its capacity is 0.
        unsafe start = memory.baseAddress.unsafelyUnwrapped
        unsafe cursor = start
        unsafe end = start + memory.count
    }

    /// The array that `write` fills, of at most `capacity` bytes.
    static func bytes(capacity: Int, _ write: (inout ByteWriter) -> Void) -> [UInt8] {
        // Safety: the writer initialises bytes in order from the first, so `written` of them are initialised.
        unsafe Array(unsafeUninitializedCapacity: max(capacity, 1)) { buffer, written in
            var writer = unsafe ByteWriter(UnsafeMutableRawBufferPointer(buffer))
            write(&writer)
            written = writer.count
        }
    }

    /// Bytes written so far.
    var count: Int { unsafe cursor - start }

    @inline(__always)
    private mutating func advance(by count: Int) -> UnsafeMutableRawPointer {
        let place = unsafe cursor
        precondition(unsafe count <= end - place, "more text than was measured")
        unsafe cursor = place + count
        return unsafe place
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) {
        unsafe advance(by: 1).storeBytes(of: byte, as: UInt8.self)
    }

    @inline(__always)
    mutating func append(_ bytes: borrowing Span<UInt8>) {
        let count = bytes.count
        // Safety: `advance` has made room for all of them; the two do not overlap, because the memory is being written.
        unsafe bytes.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe memcpy(advance(by: count), base, count)
        }
    }

    mutating func append(_ bytes: [UInt8]) { append(bytes.span) }

    mutating func append(_ text: StaticString) {
        // Safety: a static string of more than one scalar has a pointer to that many bytes, for ever.
        precondition(text.hasPointerRepresentation)
        unsafe memcpy(advance(by: text.utf8CodeUnitCount), text.utf8Start, text.utf8CodeUnitCount)
    }

    @inline(__always)
    mutating func append(decimal number: UInt64) {
        if number < 10 { return append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number)) }
        let digits = ByteWriter.decimalDigits(number)
        append(number, digits: digits)
    }

    /// The last `digits` digits of `number`, with zeros before it.
    @inline(__always)
    private mutating func append(_ number: UInt64, digits: Int) {
        let place = unsafe advance(by: digits)
        var rest = number
        var index = digits
        while index > 0 {
            index -= 1
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            unsafe place.storeBytes(
                of: UInt8(ascii: "0") + UInt8(truncatingIfNeeded: digit), toByteOffset: index, as: UInt8.self)
            rest = quotient
        }
    }

    /// How many decimal digits a number has.
    @inline(__always)
    private static func decimalDigits(_ number: UInt64) -> Int {
        var digits = 1
        var bound: UInt64 = 10
        while number >= bound {
            digits += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        return digits
    }

    /// Exact decimal seconds, without the detour by a double that would lose nanoseconds after 104 days.
    mutating func append(seconds nanoseconds: UInt64) {
        let (seconds, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        append(decimal: seconds)
        guard fraction > 0 else { return }
        append(UInt8(ascii: "."))
        var (rest, digits) = (fraction, 9)
        while rest.isMultiple(of: 10) {
            rest /= 10
            digits -= 1
        }
        append(rest, digits: digits)
    }

    /// As the formats' Go parsers print it: Swift's `inf`, `nan` and `17.0` are `+Inf`, `NaN` and `17` there.
    mutating func append(real number: Double) {
        if number.isNaN {
            append("NaN")
        } else if number.isInfinite {
            append(number < 0 ? "-Inf" : "+Inf")
        } else if let whole = Int64(exactly: number) {
            append(signed: whole)
        } else {
            append(Array(number.description.utf8))
        }
    }

    @inline(__always)
    mutating func append(signed number: Int64) {
        if number < 0 { append(UInt8(ascii: "-")) }
        append(decimal: number.magnitude)
    }
}
