// The body of one request while it arrives: kept up to the route's limit, or counted and thrown away.
//
// Why the throwing away: libmicrohttpd can queue a response only before the first byte of a body or after the last,
// and a close in the middle resets the connection, so that the client sees an error and not its 413. So a modest
// overshoot is read to the end and answered; past `discardLimit` the client gets no more patience.
//
// Bounds: memory follows what has arrived, never what was declared: 64 KiB at first, then doubling, as `Array` does.
// The budget is charged the declared length where there is one (it is then certain that it suffices), else the
// capacity as it grows. Pure but for the budget; one thread at a time.

struct BodyCollector {
    enum Overflow {
        case overLimit
        case overBudget
    }

    /// What to do after some bytes.
    enum Step: Equatable {
        case goOn
        case giveUp
    }

    static let firstReservation = 64 * 1024

    let limit: Int
    private let discardLimit: Int
    private let budget: BodyBudget
    private var reserved = 0
    private var received = 0
    private(set) var bytes: [UInt8] = []
    private(set) var overflow: Overflow?

    /// For a body of `declared` bytes, or of unknown size.
    init(limit: Int, allowance: Int, declared: Int?, budget: BodyBudget) {
        self.limit = limit
        self.discardLimit = limit.addingReportingOverflow(allowance).overflow ? Int.max : limit + allowance
        self.budget = budget
        guard let declared else { return }
        if declared > limit {
            overflow = .overLimit
        } else if !budget.reserve(declared) {
            overflow = .overBudget
        } else {
            reserved = declared
            bytes.reserveCapacity(min(declared, Self.firstReservation))
        }
    }

    /// Whether a body of `declared` bytes is more than will be read and thrown away.
    func isHopeless(declared: Int?) -> Bool {
        (declared ?? 0) > discardLimit
    }

    /// Takes the next bytes.
    mutating func append(_ chunk: Span<UInt8>) -> Step {
        received += chunk.count
        guard received <= discardLimit else {
            discard()
            return .giveUp
        }
        if overflow == nil, received > limit {
            overflow = .overLimit
            discard()
        }
        if overflow == nil, received > reserved, !grow() {
            overflow = .overBudget
            discard()
        }
        if overflow == nil {
            // Safety: the pointer is read within the call; it is one memcpy instead of an append per byte.
            unsafe chunk.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
        }
        return .goOn
    }

    /// Gives the body away; the budget stays charged until `release()`.
    mutating func takeBytes() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    /// Gives the budget back; further calls do nothing.
    mutating func release() {
        budget.release(reserved)
        reserved = 0
    }

    private mutating func discard() {
        bytes = []
        release()
    }

    private mutating func grow() -> Bool {
        let wanted = min(limit, max(Self.firstReservation, 2 * reserved, received))
        guard budget.reserve(wanted - reserved) else { return false }
        reserved = wanted
        return true
    }
}
