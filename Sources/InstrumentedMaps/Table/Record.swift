import CSystem
import Glibc

// One entry in one heap block, key and value inline:
//
//      0        8            12             16
//     ┌────────┬────────────┬──────────────┬─────────────┬───────────────┐
//     │ hash   │ key length │ value length │ key bytes … │ value bytes … │
//     └────────┴────────────┴──────────────┴─────────────┴───────────────┘
//
// The hash is kept so that neither growth nor a backward shift hashes a key again. A value that still fits the block's
// size class is overwritten in place.

/// Hash, key length and value length.
private let recordHeaderBytes = 16

/// A pointer to one entry's heap block; whoever holds it owns the block.
///
/// Not thread safe: every use stands under the shard's lock.
@unsafe
struct Record {
    /// What the allocator keeps beside each block (glibc: the size word of the chunk).
    static let allocatorOverhead = 8

    let base: UnsafeMutableRawPointer

    init(base: UnsafeMutableRawPointer) { unsafe self.base = base }

    /// Allocates a block and copies key and value into it. Traps when the allocator has no memory left.
    static func make(hash: KeyHash, key: Span<UInt8>, value: Span<UInt8>) -> Record {
        let size = recordHeaderBytes + key.count + value.count
        guard let base = unsafe malloc(size) else {
            fatalError("out of memory: the allocator refused a record of \(size) bytes")
        }
        unsafe base.storeBytes(of: hash.bits, as: UInt64.self)
        unsafe base.storeBytes(of: UInt32(key.count), toByteOffset: 8, as: UInt32.self)
        let record = unsafe Record(base: base)
        unsafe record.copy(key, to: recordHeaderBytes)
        unsafe record.setValue(value)
        return unsafe record
    }

    var hash: KeyHash { unsafe KeyHash(bits: base.load(as: UInt64.self)) }
    private var keyCount: Int { unsafe Int(base.load(fromByteOffset: 8, as: UInt32.self)) }
    private var valueCount: Int { unsafe Int(base.load(fromByteOffset: 12, as: UInt32.self)) }

    var key: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + recordHeaderBytes, count: keyCount)
    }

    var value: UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(start: base + recordHeaderBytes + keyCount, count: valueCount)
    }

    /// The bytes that the allocator holds for this block.
    var allocatedBytes: UInt64 { unsafe Record.allocatedBytes(of: base) }

    static func allocatedBytes(of block: UnsafeMutableRawPointer) -> UInt64 {
        unsafe UInt64(mapwatch_usable_size(block) + allocatorOverhead)
    }

    func hasKey(_ other: Span<UInt8>) -> Bool {
        let count = unsafe keyCount
        guard other.count == count else { return false }
        // Safety: both sides have `count` readable bytes.
        return unsafe other.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress else { return true }
            return unsafe memcmp(base + recordHeaderBytes, start, count) == 0
        }
    }

    /// Overwrites the value when it fits this block and fills at least half of it; false, and nothing changed, else:
    /// a small value must not keep a large block alive.
    func replaceValue(_ value: Span<UInt8>) -> Bool {
        let usable = unsafe mapwatch_usable_size(base)
        let needed = unsafe recordHeaderBytes + keyCount + value.count
        guard needed <= usable, needed >= usable / 2 else { return false }
        unsafe setValue(value)
        return true
    }

    func free() { unsafe Glibc.free(base) }

    private func setValue(_ value: Span<UInt8>) {
        unsafe base.storeBytes(of: UInt32(value.count), toByteOffset: 12, as: UInt32.self)
        unsafe copy(value, to: recordHeaderBytes + keyCount)
    }

    private func copy(_ bytes: Span<UInt8>, to offset: Int) {
        unsafe bytes.withUnsafeBytes { source in
            guard let start = source.baseAddress else { return }
            // Safety: the block was sized for the bytes at this offset.
            unsafe memcpy(base + offset, start, source.count)
        }
    }
}
