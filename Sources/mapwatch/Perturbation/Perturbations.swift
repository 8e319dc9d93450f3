import InstrumentedMaps
import Instruments
import MapwatchServer

// Which perturbations are on, and who is inside a map that may be perturbed.
//
// A request that needs a shard comes through `enter`, and is refused there while the shard is out; whoever is let in is
// counted until it leaves. So when a shard is to be stalled, its last visitors are known, and are let out before its lock is
// taken: no request ever waits for the lock, and none of the two threads that serve all maps is lost to a stalled shard.
//
//     PUT stall ──▶ refuse who comes ──▶ wait for who is inside ──▶ hold the lock ──▶ … ──▶ time over, DELETE, map dropped

/// The perturbations of all maps. Exists only with `--enable-chaos`.
///
/// Concurrency: any thread. Cost: a lock and a lookup when a request comes and when it goes.
final class Perturbations: Sendable {
    /// Shards that can stand still at once, each of which takes two threads.
    static let maximumStalls = 8

    /// One perturbation that is on.
    struct Active: Sendable {
        let id: UInt64
        let perturbation: Perturbation
        /// Its map, so that another one of the same name is left alone.
        let map: any InstrumentedMap
        /// Monotonic time.
        let endsAt: UInt64

        /// Seconds left, at least 1.
        func secondsLeft(now: UInt64) -> Int { Int((endsAt - min(now, endsAt)) / 1_000_000_000) + 1 }
    }

    /// What part of a map a request needs.
    enum Reach: Sendable, Equatable {
        case shards(Set<Int>)
        case whole
    }

    private struct Visits: Sendable {
        private(set) var shards: [Int: Int] = [:]
        private(set) var whole = 0

        var isEmpty: Bool { whole == 0 && shards.isEmpty }

        mutating func add(_ count: Int, _ reach: Reach) {
            switch reach {
            case .whole: whole += count
            case .shards(let numbers):
                for number in numbers {
                    let sum = shards[number, default: 0] + count
                    shards[number] = sum == 0 ? nil : sum
                }
            }
        }
    }

    private struct State: Sendable {
        var active: [MapName: [Active]] = [:]
        /// By the identity of the map; only maps with visitors.
        var inside: [ObjectIdentifier: Visits] = [:]
        var refused: [PerturbationKind: UInt64] = [:]
        var lastID: UInt64 = 0
    }

    private let state = LockedState(State())
    private let perturbers = LockedState<[UInt64: WeakPerturber]>([:])
    private let nanoseconds: @Sendable () -> UInt64
    /// Where the maps stand; comes later than the perturbations, which its maps' observers know.
    private let host = LockedState(WeakHost())
    private let didEnd: @Sendable (Active) -> Void

    /// `didEnd` hears of each perturbation that is over, for whatever reason, when somebody next looks.
    init(
        nanoseconds: @escaping @Sendable () -> UInt64 = MonotonicClock.nanoseconds,
        didEnd: @escaping @Sendable (Active) -> Void = { _ in }
    ) {
        self.nanoseconds = nanoseconds
        self.didEnd = didEnd
    }

    /// Watches whether the maps still stand.
    func watch(_ host: MapHost) { self.host.withLock { $0.host = host } }

    // MARK: - Switching

    /// Switches one on, in place of the one of its kind on that map.
    func start(_ perturbation: Perturbation, on map: any InstrumentedMap) throws(PerturbationRefusal) -> Active {
        purge()
        let now = nanoseconds()
        let endsAt = now + UInt64(perturbation.seconds) * 1_000_000_000
        let active = try state.withLock { state throws(PerturbationRefusal) in
            var own = state.active[map.name, default: []].filter { $0.perturbation.kind != perturbation.kind }
            let stalls = state.active.values.joined().filter {
                $0.perturbation.kind == .stall && $0.map.name != map.name
            }
            if perturbation.kind == .stall, stalls.count >= Perturbations.maximumStalls { throw .tooManyStalls }
            state.lastID += 1
            let active = Active(id: state.lastID, perturbation: perturbation, map: map, endsAt: endsAt)
            own.append(active)
            state.active[map.name] = own
            return active
        }
        switch perturbation.kind {
        case .yield, .delay: perturber(of: map)?.start(perturbation, until: endsAt)
        case .error: break
        case .stall:
            guard DetachedThread.start({ ShardStall(active: active, perturbations: self).run() }) else {
                end(.stall, on: map.name)
                throw .noThread
            }
        }
        return active
    }

    /// Switches the one of a kind off, or with nil all of a map; returns those that were on.
    @discardableResult
    func end(_ kind: PerturbationKind?, on name: MapName) -> [Active] {
        let ended = state.withLock { state in
            let own = state.active[name] ?? []
            let ended = own.filter { kind == nil || $0.perturbation.kind == kind }
            let left = own.filter { kind != nil && $0.perturbation.kind != kind }
            state.active[name] = left.isEmpty ? nil : left
            return ended
        }
        for active in ended {
            if !active.perturbation.kind.refusesRequests {
                perturber(of: active.map)?.end(active.perturbation.kind)
            }
            didEnd(active)
        }
        return ended
    }

    /// Those of a map that are on.
    func active(on name: MapName) -> [Active] {
        purge()
        return state.withLock { $0.active[name] ?? [] }
    }

    /// Whether this very one is still on.
    func isOn(_ active: Active) -> Bool {
        purge()
        return state.withLock { state in
            state.active[active.map.name]?.contains { $0.id == active.id } ?? false
        }
    }

    /// Requests refused so far.
    func refused(_ kind: PerturbationKind) -> UInt64 { state.withLock { $0.refused[kind] ?? 0 } }

    /// Forgets those whose time is over or whose map is gone.
    private func purge() {
        let all = state.withLock { $0.active }
        if all.isEmpty { return }
        let now = nanoseconds()
        let host = host.withLock { $0.host }
        let over = all.values.joined().filter { $0.endsAt <= now || host?.map($0.map.name) !== $0.map }
        if over.isEmpty { return }
        let ids = Set(over.map(\.id))
        let ended = state.withLock { state in
            var ended: [Active] = []
            for (name, own) in state.active {
                ended += own.filter { ids.contains($0.id) }
                let left = own.filter { !ids.contains($0.id) }
                state.active[name] = left.isEmpty ? nil : left
            }
            return ended
        }
        for active in ended { didEnd(active) }
    }

    // MARK: - Inside the critical section

    /// What hears of a map's operations and disturbs them; for the map's observer, at its creation.
    func makePerturber(of incarnation: UInt64) -> MapPerturber {
        let made = MapPerturber(nanoseconds: nanoseconds)
        perturbers.withLock { perturbers in
            perturbers = perturbers.filter { $0.value.perturber != nil }
            perturbers[incarnation] = WeakPerturber(perturber: made)
        }
        return made
    }

    private func perturber(of map: any InstrumentedMap) -> MapPerturber? {
        let incarnation = map.snapshot(now: 0).incarnation
        return perturbers.withLock { $0[incarnation]?.perturber }
    }

    // MARK: - Requests

    /// Lets a request in, or says which perturbation keeps it out. ``leave(_:_:)`` must follow unless one does. Shards are
    /// asked for only where something is on, since for a batch they cost a parse.
    func enter(_ map: any InstrumentedMap, _ reach: () -> Reach) -> (entered: Reach?, keptOutBy: Active?) {
        purge()
        if let answer = enter(map, knowing: nil) { return answer }
        let reach = reach()
        // With a reach there is always an answer.
        return enter(map, knowing: reach) ?? (reach, nil)
    }

    /// Nil when the answer depends on a reach that is not known.
    private func enter(_ map: any InstrumentedMap, knowing reach: Reach?) -> (entered: Reach?, keptOutBy: Active?)? {
        state.withLock { state -> (entered: Reach?, keptOutBy: Active?)? in
            let refusing = state.active[map.name, default: []].filter { $0.perturbation.kind.refusesRequests }
            if !refusing.isEmpty, reach == nil { return nil }
            let inTheWay = refusing.first { active in
                guard case .shards(let wanted)? = reach, let shard = active.perturbation.shard else { return true }
                return wanted.contains(shard)
            }
            if let inTheWay {
                state.refused[inTheWay.perturbation.kind, default: 0] += 1
                return (nil, inTheWay)
            }
            let entered = reach ?? .whole
            state.inside[ObjectIdentifier(map), default: Visits()].add(1, entered)
            return (entered, nil)
        }
    }

    /// Counts out who was let in.
    func leave(_ map: any InstrumentedMap, _ entered: Reach) {
        state.withLock { state in
            let id = ObjectIdentifier(map)
            state.inside[id]?.add(-1, entered)
            if state.inside[id]?.isEmpty == true { state.inside[id] = nil }
        }
    }

    /// Whether somebody who was let in may still need the shard.
    func isVisited(_ map: any InstrumentedMap, shard: Int) -> Bool {
        state.withLock { state in
            guard let visits = state.inside[ObjectIdentifier(map)] else { return false }
            return visits.whole > 0 || visits.shards[shard] != nil
        }
    }
}

/// Weak: the map's observer owns it, and a dropped map takes it along.
private struct WeakPerturber: Sendable {
    weak var perturber: MapPerturber?
}

private struct WeakHost: Sendable {
    weak var host: MapHost?
}

/// Why a perturbation was not switched on.
enum PerturbationRefusal: Error, CustomStringConvertible {
    case tooManyStalls
    case noThread

    var description: String {
        switch self {
        case .tooManyStalls:
            "\(Perturbations.maximumStalls) shards stand still already, and no more can at once; end one first"
        case .noThread: "the system has no thread left that could hold the shard"
        }
    }
}
