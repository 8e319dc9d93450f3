import InstrumentedMaps

/// What the threads were answered, to be held against the map's own counters.
struct Answers: Sendable {
    var inserts = 0
    var updates = 0
    var deletes = 0
    var deleteMisses = 0
    var loads = 0
    var loadMisses = 0
    var refusals = 0
    /// Sweeps that deleted nothing: each may have counted a miss, when somebody else was faster, or nothing at all.
    var emptySweeps = 0

    mutating func add(_ other: Answers) {
        inserts += other.inserts
        updates += other.updates
        deletes += other.deletes
        deleteMisses += other.deleteMisses
        loads += other.loads
        loadMisses += other.loadMisses
        refusals += other.refusals
        emptySweeps += other.emptySweeps
    }

    mutating func noteStore(_ outcome: StoreOutcome) {
        switch outcome {
        case .inserted: inserts += 1
        case .updated: updates += 1
        case .refused: refusals += 1
        }
    }

    mutating func noteDelete(_ hit: Bool) { if hit { deletes += 1 } else { deleteMisses += 1 } }

    mutating func noteLoad(_ hit: Bool) { if hit { loads += 1 } else { loadMisses += 1 } }

    /// What the counters of a map that nobody is working on say otherwise.
    func problems(with snapshot: MapSnapshot) -> [String] {
        var problems: [String] = []
        func expect(_ what: String, _ counted: UInt64, _ answered: ClosedRange<Int>) {
            guard !answered.contains(Int(counted)) else { return }
            problems.append("ledger: \(what) are \(counted), answered were \(answered.lowerBound)")
        }
        expect("inserts", snapshot.sum(\.inserts), inserts...inserts)
        expect("updates", snapshot.sum(\.updates), updates...updates)
        expect("deletes", snapshot.sum(\.deletes), deletes...deletes)
        expect("delete misses", snapshot.sum(\.deleteMisses), deleteMisses...(deleteMisses + emptySweeps))
        expect("loads", snapshot.sum(\.loads), loads...loads)
        expect("load misses", snapshot.sum(\.loadMisses), loadMisses...loadMisses)
        let entries = inserts - deletes
        if entries >= 0 {
            expect("entries", snapshot.sum(\.entries), entries...entries)
        } else {
            problems.append("ledger: \(inserts) inserts and \(deletes) deletes were answered")
        }
        // Nobody has set a bound on memory.
        expect("refusals", UInt64(refusals), 0...0)
        expect("waiters", snapshot.sum(\.lockWaiters), 0...0)
        return problems
    }
}
