import AccidentIndicators
import FlightRecorder
import Foundation
import InstrumentedMaps
import Instruments

@testable import Incidents

/// A reporter with a clock that stands until it is moved, and maps that are only counters.
final class Workshop: Sendable {
    struct State: Sendable {
        /// Monotonic; the wall clock is 1,800,000,000 s ahead of it.
        var nanoseconds: UInt64 = 1_000_000_000_000
        var notices: [IncidentArchive.Notice] = []
        var wakes = 0
    }

    static let wallAhead = 1_800_000_000.0

    let folder: String
    let sampler = IndicatorSampler()
    let archive: IncidentArchive
    let reporter: IncidentReporter
    private let state: LockedState<State>

    /// Keeps bundles in `storage`, which is made for it unless it is named; none keeps them in memory.
    init(
        storage: String? = nil, isInMemory: Bool = false, maximumBytes: Int = BundleStore.defaultMaximumBytes,
        operations: @escaping @Sendable (MapName) -> [RecordedOperation]? = { _ in nil }
    ) throws {
        let state = LockedState(State())
        self.state = state
        folder = storage ?? NSTemporaryDirectory() + "mapwatch-incidents-\(UUID().uuidString)"
        archive = IncidentArchive(
            store: isInMemory ? nil : BundleStore(storagePath: folder), maximumBytes: maximumBytes, parse: parse
        ) { notice in state.withLock { $0.notices.append(notice) } }
        reporter = IncidentReporter(
            archive: archive, version: "0.0.0",
            sources: IncidentReporter.Sources(
                sampler: sampler, operations: operations, nanoseconds: { state.withLock { $0.nanoseconds } },
                secondsSince1970: { state.withLock { Double($0.nanoseconds) / 1e9 + Workshop.wallAhead } }),
            wake: { state.withLock { $0.wakes += 1 } })
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var now: UInt64 { state.withLock { $0.nanoseconds } }
    var wakes: Int { state.withLock { $0.wakes } }
    var notices: [IncidentArchive.Notice] { state.withLock { $0.notices } }

    func pass(seconds: UInt64) { state.withLock { $0.nanoseconds += seconds * 1_000_000_000 } }

    /// A second passes, then a sample is taken and looked at.
    func sample(_ maps: [MapGlance]) {
        pass(seconds: 1)
        sampler.sample(maps, atNanoseconds: now)
        reporter.watch(sampler.sample)
    }

    /// Names of the bundles on disk, and of whatever else is there.
    func names() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: folder + "/incidents")) ?? []).sorted()
    }

    func file(_ id: IncidentID, _ file: BundleFile) throws -> String {
        try String(contentsOfFile: "\(folder)/incidents/\(id)/\(file.rawValue)", encoding: .utf8)
    }
}

/// A map whose counters a test sets.
struct CountedMap {
    let name: MapName
    let incarnation: UInt64
    var shards: [ShardSample]

    init(_ name: String, incarnation: UInt64 = 1, shards: Int = 4) throws {
        self.name = try MapName(name)
        self.incarnation = incarnation
        self.shards = Array(repeating: ShardSample(), count: shards)
    }

    /// So many writes to each shard; an entry takes 100 bytes.
    mutating func write(inserts: UInt64 = 0, updates: UInt64 = 0, deletes: UInt64 = 0) {
        for index in shards.indices {
            shards[index].inserts += inserts
            shards[index].updates += updates
            shards[index].deletes += deletes
            shards[index].entries = shards[index].inserts - shards[index].deletes
            shards[index].liveBytes = shards[index].entries * 100
        }
    }

    func glance() throws -> MapGlance {
        MapGlance(
            MapSnapshot(
                incarnation: incarnation, name: name, options: try MapOptions(shards: shards.count), createdAt: 0,
                shards: shards))
    }
}

/// What is wrong with a document.
struct NoIncident: Error, CustomStringConvertible {
    let description: String
}

/// A summary from an `incident.json`, by Foundation and so apart from the daemon's own reader.
func parse(_ bytes: [UInt8]) throws -> IncidentSummary {
    let json = try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any] ?? [:]
    guard let id = (json["id"] as? String).flatMap(IncidentID.init(_:)),
        let kind = (json["kind"] as? String).flatMap(IncidentKind.init(rawValue:)),
        let seconds = json["timestamp_seconds"] as? Double
    else { throw NoIncident(description: "no incident") }
    return IncidentSummary(
        id: id, kind: kind, map: try (json["map"] as? String).map { name in try MapName(name) }, seconds: seconds,
        note: json["note"] as? String ?? "", isFirstOfHour: json["first_of_hour"] as? Bool ?? false)
}
