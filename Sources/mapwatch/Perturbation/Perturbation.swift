import DataDocuments
import HTTPServer
import InstrumentedMaps

/// What can be done to a map on purpose; the value of the label `kind`.
enum PerturbationKind: String, Sendable, CaseIterable {
    /// The thread gives its core away inside the critical section, with some probability (the articles' `Gosched`).
    case yield
    /// The thread sleeps inside the critical section, with some probability.
    case delay
    /// One shard fails: requests for it are refused.
    case error
    /// One shard stands still: its lock is held, and requests for it are refused.
    case stall

    /// Whether requests that need the shard are refused meanwhile.
    var refusesRequests: Bool { self == .error || self == .stall }
}

/// One perturbation as it was asked for. Every one ends by itself.
struct Perturbation: Sendable, Equatable {
    static let secondsRange = 1...600
    /// No more: a delayed operation keeps one of the two threads that serve all maps.
    static let microsecondsRange = 1...10_000
    private static let fields = ["kind", "shard", "probability", "microseconds", "seed", "seconds"]

    let kind: PerturbationKind
    /// The one shard that is meant; nil for all, which only `yield` and `delay` can.
    let shard: Int?
    /// Of each operation that passes the critical section; 1 for `error` and `stall`.
    let probability: Double
    /// How long a delay is; 0 for other kinds.
    let microseconds: Int
    /// The same seed hits the same operations, counted from the first on.
    let seed: UInt64
    let seconds: Int

    /// Reads the body of a PUT for a map with so many shards.
    init(json body: [UInt8], shards: Int) throws(APIProblem) {
        let members: JSONMembers
        do {
            members = try JSONMembers(JSONValue.parse(body), known: Perturbation.fields)
        } catch {
            throw .badRequest("\(error)")
        }
        let known = PerturbationKind.allCases.map(\.rawValue).joined(separator: ", ")
        guard case .text(let name)? = members.value("kind"), let kind = PerturbationKind(rawValue: name) else {
            let given = members.value("kind").map { ", not \($0.description)" } ?? ""
            throw .unprocessable("kind must be one of \(known)\(given)", field: "kind")
        }
        self.kind = kind
        guard let seconds = try members.integer("seconds", in: Perturbation.secondsRange) else {
            throw .unprocessable(
                "seconds is missing: a perturbation ends by itself after 1 to 600 seconds", field: "seconds")
        }
        self.seconds = seconds
        shard = try members.integer("shard", in: 0...(shards - 1))
        let microseconds = try members.integer("microseconds", in: Perturbation.microsecondsRange)
        let probability = try members.probability()
        seed = UInt64(try members.integer("seed", in: 0...Int.max) ?? 1)
        if kind.refusesRequests {
            guard shard != nil else { throw .unprocessable("kind \(name) needs a shard", field: "shard") }
            guard probability == nil else {
                throw .unprocessable("kind \(name) takes no probability: the shard is out", field: "probability")
            }
        }
        guard (kind == .delay) == (microseconds != nil) else {
            throw .unprocessable(
                kind == .delay
                    ? "kind delay needs microseconds, 1 to \(Perturbation.microsecondsRange.upperBound)"
                    : "kind \(name) takes no microseconds", field: "microseconds")
        }
        self.microseconds = microseconds ?? 0
        self.probability = probability ?? 1
    }

    /// One for a test or a scenario.
    init(
        _ kind: PerturbationKind, shard: Int? = nil, probability: Double = 1, microseconds: Int = 0, seed: UInt64 = 1,
        seconds: Int
    ) {
        self.kind = kind
        self.shard = shard
        self.probability = probability
        self.microseconds = microseconds
        self.seed = seed
        self.seconds = seconds
    }
}

extension JSONMembers {
    fileprivate func integer(_ name: String, in range: ClosedRange<Int>) throws(APIProblem) -> Int? {
        guard let value = value(name) else { return nil }
        guard case .integer(let number) = value, range.contains(number) else {
            throw .unprocessable(
                "\(name) must be a whole number from \(range.lowerBound) to \(range.upperBound), not "
                    + value.description, field: name)
        }
        return number
    }

    fileprivate func probability() throws(APIProblem) -> Double? {
        let number: Double
        switch value("probability") {
        case nil: return nil
        case .integer(let whole)?: number = Double(whole)
        case .real(let real)?: number = real
        case let other?:
            throw .unprocessable("probability must be a number, not \(other.description)", field: "probability")
        }
        guard (0...1).contains(number) else {
            throw .unprocessable("probability must be from 0 to 1, not \(number)", field: "probability")
        }
        return number
    }
}
