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
    /// The generic map of the library with texts as keys, and what a Swift service would write by hand for them.
    case typed
    case textDictionary = "dictionary-string"

    var title: String {
        switch self {
        case .tbb: "oneTBB concurrent_hash_map"
        case .unorderedMap: "unordered_map, shared_mutex"
        case .mapwatch: "mapwatch, 256 shards"
        case .mapwatchDefault: "mapwatch, \(MapOptions.defaultShards) shards (default)"
        case .optimistic: "mapwatch, 256 shards, optimistic"
        case .rwlock: "mapwatch, rwlock"
        case .dictionary: "Dictionary, 256 mutexes"
        case .typed: "ShardedMap<String, …>, 256"
        case .textDictionary: "Dictionary<String, …>, 256"
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
        case .typed: TypedSubject()
        case .textDictionary: TextDictionarySubject()
        }
    }
}
