import Synchronization

// Memory that readers look at while a writer changes it: only ever touched in whole words of 64 bits, written releasing
// and read acquiring. On x86 both are plain moves; no stand-alone fence is needed, and ThreadSanitizer follows them. A
// reader may see half of a change; it finds out by the table's version, which is why the bytes it copies may be anything
// but never out of bounds.

/// Reading and writing words that others read or write at the same time.
///
/// Concurrency: any number of readers, one writer, who may read plainly.
enum SharedWords {
    /// Safety: `word` is aligned and readable.
    @inline(__always)
    static func load(_ word: UnsafeRawPointer) -> UInt64 {
        unsafe word.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.load(ordering: .acquiring)
    }

    /// Which of four index words has `place`: 0…3, the first of them, or 4. As `mapwatch_words_of`, without a branch.
    ///
    /// Safety: the four words are aligned and readable.
    @inline(__always)
    static func firstPlace(_ words: UnsafeRawPointer, _ place: UInt32) -> Int {
        var found = 0x10
        for index in 0..<4 {
            found |= unsafe (IndexArray.place(load(words + index &* 8)) == place ? 1 : 0) << index
        }
        return found.trailingZeroBitCount
    }

    /// Safety: `slot` is aligned and writable.
    @inline(__always)
    static func store(_ word: UInt64, at slot: UnsafeMutableRawPointer) {
        unsafe slot.assumingMemoryBound(to: Atomic<UInt64>.self).pointee.store(word, ordering: .releasing)
    }

    /// Writes `count` bytes at `offset` of an aligned block, word by word: keeps what stands before them in the first
    /// word, and clears what is left of the last.
    ///
    /// Safety: the block is writable to the end of the last word.
    @inline(__always)
    static func write(
        _ source: UnsafeRawPointer, _ count: Int, to block: UnsafeMutableRawPointer, at offset: Int
    ) {
        guard count > 0 else { return }
        let lead = offset & 7
        var target = unsafe block + (offset &- lead)
        var done = 0
        if lead > 0 {
            done = min(8 &- lead, count)
            let kept = unsafe target.load(as: UInt64.self) & (1 << UInt64(lead * 8) &- 1)
            unsafe store(kept | partialWord(source, done) << UInt64(lead * 8), at: target)
            unsafe target += 8
        }
        while done &+ 8 <= count {
            unsafe store(source.loadUnaligned(fromByteOffset: done, as: UInt64.self), at: target)
            unsafe target += 8
            done &+= 8
        }
        if done < count { unsafe store(partialWord(source + done, count &- done), at: target) }
    }

    /// One to seven bytes as the low ones of a word.
    ///
    /// Safety: `count` bytes are readable.
    @inline(__always)
    static func partialWord(_ source: UnsafeRawPointer, _ count: Int) -> UInt64 {
        if count >= 4 {
            let low = unsafe UInt64(source.loadUnaligned(as: UInt32.self))
            let high = unsafe UInt64(source.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self))
            return low | high << UInt64((count &- 4) * 8)
        }
        let first = unsafe UInt64(source.load(as: UInt8.self))
        let middle = unsafe UInt64(source.load(fromByteOffset: count / 2, as: UInt8.self))
        let last = unsafe UInt64(source.load(fromByteOffset: count &- 1, as: UInt8.self))
        return first | middle << UInt64(count / 2 * 8) | last << UInt64((count &- 1) * 8)
    }

    /// Copies `count` bytes from `offset` of an aligned block, word by word.
    ///
    /// Safety: the block is readable to the end of the last word, `target` writable for `count` bytes.
    @inline(__always)
    static func read(
        _ block: UnsafeRawPointer, at offset: Int, _ count: Int, to target: UnsafeMutableRawPointer
    ) {
        guard count > 0 else { return }
        let lead = offset & 7
        var source = unsafe block + (offset &- lead)
        var done = 0
        if lead > 0 {
            done = min(8 &- lead, count)
            unsafe storeLow(load(source) >> UInt64(lead * 8), done, to: target)
            unsafe source += 8
        }
        while done &+ 8 <= count {
            unsafe target.storeBytes(of: load(source), toByteOffset: done, as: UInt64.self)
            unsafe source += 8
            done &+= 8
        }
        if done < count { unsafe storeLow(load(source), count &- done, to: target + done) }
    }

    /// Writes the one to seven low bytes of a word.
    ///
    /// Safety: `count` bytes are writable.
    @inline(__always)
    private static func storeLow(_ word: UInt64, _ count: Int, to target: UnsafeMutableRawPointer) {
        var (word, target) = unsafe (word, target)
        if count & 4 != 0 {
            unsafe target.storeBytes(of: UInt32(truncatingIfNeeded: word), as: UInt32.self)
            unsafe target += 4
            word >>= 32
        }
        if count & 2 != 0 {
            unsafe target.storeBytes(of: UInt16(truncatingIfNeeded: word), as: UInt16.self)
            unsafe target += 2
            word >>= 16
        }
        if count & 1 != 0 { unsafe target.storeBytes(of: UInt8(truncatingIfNeeded: word), as: UInt8.self) }
    }
}
