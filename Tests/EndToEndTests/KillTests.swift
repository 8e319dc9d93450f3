import FlightRecorder
import Foundation
import Glibc
import Synchronization
import TestSupport
import Testing

/// A daemon that is killed at random moments under load. Ten times here; `make kill9` asks for a hundred.
@Suite("kill -9 under load")
struct KillTests {
    private static let kills = ProcessInfo.processInfo.environment["MAPWATCH_KILLS"].flatMap { Int($0) } ?? 10
    private static let maps = ["sharded": 4, "optimistic": 4, "rwlock": 1]
    private static let keys = 64
    private static let hashes = Set((0..<keys).map { FoundRecording.keyHash("key-\($0)") })
    private static let configuration = """
        maps:
          - {name: sharded, strategy: sharded, shards: 4}
          - {name: optimistic, strategy: sharded, shards: 4, reads: optimistic}
          - {name: rwlock, strategy: rwlock}
        """

    @Test("each time the recording is whole, and each time the daemon starts again")
    func kills() async throws {
        try await onOwnThread {
            let storage = try TemporaryFolder()
            let configuration = try storage.write("mapwatch.yaml", Self.configuration)
            let arguments = ["--storage.path", storage.path, "--config.file", configuration]
            var random = SeededGenerator(seed: TestSeed.value)
            for kill in 0..<Self.kills {
                let daemon = try MapwatchProcess(arguments)
                if kill > 0 { _ = try daemon.child.waitForErrorLine("the previous run did not end in order") }
                try Self.load(daemon, until: Int.random(in: 0...3_000, using: &random))
                #expect(try daemon.child.waitForExit() == .signal(SIGKILL))
                try Self.check(FoundRecording(storage: storage), "kill \(kill), \(TestSeed.note)")
                // Some die while they start, before they have said anything or just after.
                if kill % 5 == 4 { try Self.killAtStart(arguments, storage) }
            }
        }
    }

    /// Three threads put, get and delete; the daemon is killed once every shard has been written, and `more` operations
    /// after that.
    private static func load(_ daemon: MapwatchProcess, until more: Int) throws {
        let done = Tally()
        let killer = ThreadGroup()
        let least = keys * 3 * 4
        killer.start {
            _ = eventually { done.value >= least + more }
            daemon.child.signal(SIGKILL)
        }
        ThreadGroup.run(3) { thread in
            // A kill ends the connection, and with it the thread's work.
            guard let connection = try? daemon.connectToData() else { return }
            defer { connection.close() }
            var step = 0
            while true {
                let map = ["sharded", "optimistic", "rwlock"][(step + thread) % 3]
                let key = "key-\(step / 3 % keys)"
                let method = ["PUT", "GET", "PUT", "DELETE"][step / 3 / keys % 4]
                guard (try? connection.request(method, entry(map, key), body: method == "PUT" ? [0x76] : [])) != nil
                else { return }
                done.add()
                step += 1
            }
        }
        killer.join()
    }

    private static func killAtStart(_ arguments: [String], _ storage: TemporaryFolder) throws {
        let child = try ChildProcess(
            MapwatchProcess.binary(),
            ["serve", "--web.listen-address", "127.0.0.1:0", "--data.listen-address", "127.0.0.1:0"] + arguments)
        _ = try child.waitForErrorLine("level=")
        child.signal(SIGKILL)
        #expect(try child.waitForExit() == .signal(SIGKILL))
        // Whichever run's it is.
        _ = try FoundRecording(storage: storage)
    }

    private static func check(_ found: FoundRecording, _ note: String) {
        #expect(!found.recording.endedInOrder, "\(note)")
        #expect(found.recording.problems.isEmpty, "\(note)")
        #expect(Set(found.recording.maps.keys) == Set(maps.keys), "\(note)")
        for (map, shards) in maps {
            let recorded = found.shards(of: map)
            #expect(recorded.count == shards, "\(map), \(note)")
            for (shard, operations) in recorded {
                #expect(operations.count >= 10, "shard \(shard) of \(map), \(note)")
                #expect(operations.allSatisfy { hashes.contains($0.keyHash) }, "shard \(shard) of \(map), \(note)")
                // The last 16 but for those that a thread was just writing.
                let numbers = operations.map(\.number)
                #expect((numbers.last ?? 0) - (numbers.first ?? 0) < 16 + 3, "shard \(shard) of \(map), \(note)")
            }
        }
    }
}
