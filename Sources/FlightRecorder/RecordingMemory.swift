import Glibc
import Instruments
import Synchronization

/// A recording that is written: its file as memory that every thread may write at any time.
///
/// Concurrency: any thread; all words are atomic and relaxed. What stands in the file survives the process however it
/// ends, SIGKILL included, because the pages are the kernel's; a power failure it need not survive.
@safe
final class RecordingMemory: Sendable {
    let count: Int
    // Safety: `count` words of a shared mapping that lives as long as `self`; only atomic accesses.
    private nonisolated(unsafe) let words: UnsafeMutablePointer<Atomic<UInt64>>

    /// Maps a file of so many words; the descriptor is not needed afterwards.
    init(_ file: Int32, words count: Int, path: String) throws(RecorderProblem) {
        // Safety: a new mapping of the file's own length.
        let memory = unsafe mmap(
            nil, count * RecordingLayout.wordBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let memory = unsafe memory, unsafe memory != MAP_FAILED else {
            throw .system(step: "map", path: path, errorNumber: errno)
        }
        self.count = count
        // Safety: zeros are atomics of 0, and pages are aligned.
        unsafe words = memory.bindMemory(to: Atomic<UInt64>.self, capacity: count)
    }

    deinit { unsafe _ = munmap(UnsafeMutableRawPointer(words), count * RecordingLayout.wordBytes) }

    subscript(index: Int) -> UInt64 {
        get {
            precondition(index >= 0 && index < count, "word \(index) of \(count)")
            return unsafe words[index].load(ordering: .relaxed)
        }
        set {
            precondition(index >= 0 && index < count, "word \(index) of \(count)")
            unsafe words[index].store(newValue, ordering: .relaxed)
        }
    }

    /// Writes words one after the other, from the last to the first, so that whoever sees the first sees all.
    func write(_ values: [UInt64], at start: Int) {
        for (index, value) in values.enumerated().reversed() {
            precondition(start >= 0 && start + index < count, "word \(start + index) of \(count)")
            unsafe words[start + index].store(value, ordering: .releasing)
        }
    }

    /// A copy of some words, each as it was at a moment of its own.
    func copy(_ range: Range<Int>) -> ArraySlice<UInt64> { range.map { self[$0] }[...] }

    /// Where a ring begins; valid as long as this memory.
    func ring(_ index: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        let start = RecordingLayout.ring(index)
        precondition(start + RecordingLayout.ringWords <= count, "ring \(index) of a file of \(count) words")
        return unsafe words + start
    }
}
