import FlightRecorder
import Glibc
import Synchronization

/// One ring of the flight recorder, written by many threads, read meanwhile, beside maps that come and go.
struct RecorderProbe {
    let threads: Int
    let operations: Int

    /// Runs it, and says what no longer holds at the end.
    func run() throws -> [String] {
        let recording = try Recording()
        let recorder = recording.recorder
        let rings = try recorder.lend(map: "probe", incarnation: 1, shards: 1)
        let isDone = Board()
        let reader = Threads.start {
            while !isDone.flag.load(ordering: .acquiring) {
                _ = recorder.operations(of: "probe")
                _ = recorder.operations(of: "passing")
                try? recorder.lend(map: "passing", incarnation: 2, shards: 400).write(shard: 399, thread: 0, count: 1)
            }
        }
        let share = operations / threads
        let writers = (0..<threads).map { thread in
            Threads.start {
                recorder.name(UInt32(thread + 1), "writer \(thread)")
                for count in 0..<share { rings.write(shard: 0, thread: UInt32(thread + 1), count: UInt64(count)) }
            }
        }
        for writer in writers { pthread_join(writer, nil) }
        isDone.flag.store(true, ordering: .releasing)
        pthread_join(reader, nil)
        return problems(recorder.operations(of: "probe"))
    }

    private func problems(_ operations: [RecordedOperation]) -> [String] {
        var problems: [String] = []
        // One that a thread was stopped in may be missing.
        if operations.count < 16 - threads { problems.append("only \(operations.count) records are whole") }
        for operation in operations where operation.keyHash >> 32 != UInt64(operation.thread) {
            problems.append("a record is a mixture: \(TraceText.json(operation))")
        }
        for operation in operations where operation.caller != "writer \(operation.thread - 1)" {
            problems.append("a caller's name is lost: \(TraceText.json(operation))")
        }
        return problems
    }

    private final class Board: Sendable {
        let flag = Atomic(false)
    }
}

extension MapRings {
    fileprivate func write(shard: Int, thread: UInt32, count: UInt64) {
        record(
            shard: shard, operation: .update, outcome: .hit, keyHash: UInt64(thread) << 32 | count,
            monotonic: count, durationNanoseconds: count, thread: thread, caller: thread)
    }
}
