import FlightRecorder
import Foundation

/// What a test finds in a recording that a daemon has left.
struct FoundRecording {
    let recording: Recording

    init(storage: TemporaryFolder) throws { recording = try Recording(path: storage.path + "/recorder") }

    /// The operations of a map by shard, in the order of their numbers.
    func shards(of map: String) -> [Int: [RecordedOperation]] {
        Dictionary(grouping: recording.maps[map] ?? [], by: \.shard)
            .mapValues { $0.sorted { $0.number < $1.number } }
    }

    /// Go's FNV-1a-64, by its definition and apart from the daemon's own.
    static func keyHash(_ key: String) -> UInt64 {
        key.utf8.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
    }
}
