import ArgumentParser
import InstrumentedMaps

/// Who is measured, by the names of `--subjects` and of the JSON.
enum SubjectKind: String, CaseIterable, ExpressibleByArgument {
    case tbb
    case unorderedMap = "unordered_map"
    /// 256 shards: the map that the goals are for.
    case mapwatch
    case mapwatchDefault = "mapwatch-default"
    case optimistic
    case rwlock
    case dictionary

    var title: String {
        switch self {
        case .tbb: "oneTBB concurrent_hash_map"
        case .unorderedMap: "unordered_map, shared_mutex"
        case .mapwatch: "mapwatch, 256 shards"
        case .mapwatchDefault: "mapwatch, \(MapOptions.defaultShards) shards (default)"
        case .optimistic: "mapwatch, 256 shards, optimistic"
        case .rwlock: "mapwatch, rwlock"
        case .dictionary: "Dictionary, 256 mutexes"
        }
    }

    func make() throws -> any Subject {
        switch self {
        case .tbb: TBBSubject()
        case .unorderedMap: UnorderedMapSubject()
        case .mapwatch: try MapwatchSubject(MapOptions(shards: 256))
        case .mapwatchDefault: try MapwatchSubject(MapOptions())
        case .optimistic: try MapwatchSubject(MapOptions(shards: 256, reads: .optimistic))
        case .rwlock: try MapwatchSubject(MapOptions(strategy: .rwlock))
        case .dictionary: DictionarySubject()
        }
    }
}
