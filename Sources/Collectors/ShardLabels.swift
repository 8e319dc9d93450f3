import Exposition

/// The labels of a map's shards, in order: `shard_id` is padded with zeros to the width of the highest id, so that text
/// order is number order.
enum ShardLabels {
    static func of(map name: String, shards: Int) -> [LabelSet] {
        let width = String(max(0, shards - 1)).count
        return (0..<shards).map { index in
            let digits = String(index)
            let padded = String(repeating: "0", count: width - digits.count) + digits
            return LabelSet(["map_name": name, "shard_id": padded])
        }
    }
}
