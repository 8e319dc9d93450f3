/// What the metrics of one map show at one moment.
public struct MapGauges: Sendable, Equatable {
    public var deleteRatio = 0.0
    public var sizeMutationRatio = 0.0
    public var sizeMutationStreak = 0
    public var hasSignature = false
    public var shardImbalance = 0.0
    public var deletesDuringIteration: UInt64 = 0
    /// `map_concurrent_access_total` by kind; empty for a map that does not look for conflicts.
    public var conflicts: [String: UInt64] = [:]
    /// `map_conflict_averted_total` by kind: what a lock kept apart.
    public var averted: [String: UInt64] = [:]

    public init() {}
}

/// What the metrics of a map have shown while an accident was played.
public struct ReplayObservations: Sendable, Equatable {
    public private(set) var peak = MapGauges()

    public init() {}

    /// Takes the gauges of one more second.
    public mutating func add(_ gauges: MapGauges) {
        peak.deleteRatio = max(peak.deleteRatio, gauges.deleteRatio)
        peak.sizeMutationRatio = max(peak.sizeMutationRatio, gauges.sizeMutationRatio)
        peak.sizeMutationStreak = max(peak.sizeMutationStreak, gauges.sizeMutationStreak)
        peak.hasSignature = peak.hasSignature || gauges.hasSignature
        peak.shardImbalance = max(peak.shardImbalance, gauges.shardImbalance)
        peak.deletesDuringIteration = max(peak.deletesDuringIteration, gauges.deletesDuringIteration)
        peak.conflicts.merge(gauges.conflicts) { max($0, $1) }
        peak.averted.merge(gauges.averted) { max($0, $1) }
    }

    /// Conflicts found by fail-fast detection.
    public var detections: UInt64 { peak.conflicts.values.reduce(0, +) }

    /// Operations that a lock kept apart from one that they exclude.
    public var averted: UInt64 { peak.averted.values.reduce(0, +) }

    /// Whether the metrics show an accident: by its signature, or by a conflict that was found. What locks have averted is
    /// none.
    public var showsAccident: Bool { peak.hasSignature || detections > 0 }
}

/// One replay of one scenario.
public struct ReplayResult: Sendable {
    public let card: ScenarioCard
    public let way: ScenarioWay
    public let map: ReplayMap
    public let observations: ReplayObservations
    public let outcome: PlayedOutcome

    public init(
        card: ScenarioCard, way: ScenarioWay, map: ReplayMap, observations: ReplayObservations, outcome: PlayedOutcome
    ) {
        self.card = card
        self.way = way
        self.map = map
        self.observations = observations
        self.outcome = outcome
    }

    /// What two replays with one seed agree on, whatever the threads did.
    public var verdict: Verdict { Verdict(hasSignature: observations.peak.hasSignature, outcome: outcome) }

    public struct Verdict: Sendable, Equatable {
        public let hasSignature: Bool
        public let operations: Int
        public let plan: UInt64
        public let contents: UInt64

        init(hasSignature: Bool, outcome: PlayedOutcome) {
            self.hasSignature = hasSignature
            operations = outcome.operations
            plan = outcome.plan
            contents = outcome.contents
        }
    }
}
