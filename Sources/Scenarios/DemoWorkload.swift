public import InstrumentedMaps

// A workload to look at for five minutes: four maps, each of another character.
//
//     orders    sharded   the accident: filled, then traded; from second 135 on it loses 2 % of its entries a second for
//                         75 s, so that its delete share and the mutation of its size pass their lines; then it recovers
//     sessions  sharded   churns, as many log in as log out; its readers take no lock
//     products  sharded   everybody asks for one product: a hot shard
//     rules     rwlock    nearly only read; a few updates a second
//
//     entries   20,000 │    ┌─────────────┐                ┌──
//     of orders        │   ╱               ╲            ╱
//                5,000 │  ╱                  ╲______╱
//                      └──┴────┬──────────┬──┴───────────────  600 s a round
//                             120 s: lines count from here on
//
// The accident is slow enough to last through three evaluations of 15 s, each with a quarter of the entries gone, and the
// recovery slow enough (6 to 9 % in 15 s) to be no accident of its own.

/// Keeps hosted maps busy until its task is cancelled.
public struct DemoWorkload: Sendable {
    /// The maps that the workload wants, by name.
    public static func maps() throws -> [(name: MapName, options: MapOptions)] {
        [
            (try MapName("orders"), try MapOptions()),
            (try MapName("sessions"), try MapOptions(reads: .optimistic)),
            (try MapName("rules"), try MapOptions(strategy: .rwlock)),
            (try MapName("products"), try MapOptions()),
        ]
    }

    private let orders: any MapTarget
    private let sessions: any MapTarget
    private let rules: any MapTarget
    private let products: any MapTarget
    private let seed: UInt64

    public init(
        orders: any MapTarget, sessions: any MapTarget, rules: any MapTarget, products: any MapTarget, seed: UInt64
    ) {
        self.orders = orders
        self.sessions = sessions
        self.rules = rules
        self.products = products
        self.seed = seed
    }

    /// Runs until the task is cancelled, or until a target fails.
    public func run() async {
        await withTaskGroup { group in
            group.addTask { try? await playOrders() }
            group.addTask { try? await playSessions() }
            group.addTask { try? await playRules() }
            for player in 0..<3 as Range<UInt64> { group.addTask { try? await playProducts(player) } }
        }
    }

    /// Of each player.
    private static let ticksPerSecond = 20
    private static let roundSeconds = 600
    /// Seconds of a round in which orders are lost.
    private static let accident = 135..<210
    private static let fullOrders = 20_000

    private func playOrders() async throws {
        var oldest = 0
        var next = 0
        var isFilling = true
        var random = SplitMix(seed: seed)
        var beat = Beat(ticksPerSecond: DemoWorkload.ticksPerSecond)
        while true {
            for tick in 0..<(DemoWorkload.roundSeconds * DemoWorkload.ticksPerSecond) {
                let standing = next - oldest
                isFilling = isFilling && standing < DemoWorkload.fullOrders
                let plan =
                    DemoWorkload.accident.contains(tick / DemoWorkload.ticksPerSecond)
                    ? OrdersTick.accident(standing)
                    : isFilling
                        ? .fill
                        : standing < DemoWorkload.fullOrders ? .recovery(standing) : .trade
                for _ in 0..<plan.inserts {
                    try await orders.store(key("order", next), value(256))
                    next += 1
                }
                for _ in 0..<plan.deletes where oldest < next {
                    _ = try await orders.delete(key("order", oldest))
                    oldest += 1
                }
                for _ in 0..<plan.updates {
                    try await orders.store(key("order", Int.random(in: oldest..<next, using: &random)), value(256))
                }
                for _ in 0..<40 {
                    _ = try await orders.load(key("order", Int.random(in: oldest..<next, using: &random)))
                }
                try await beat.wait()
            }
        }
    }

    private func playSessions() async throws {
        var random = SplitMix(seed: seed &+ 1)
        var beat = Beat(ticksPerSecond: DemoWorkload.ticksPerSecond)
        while true {
            for _ in 0..<30 {
                let session = key("session", Int.random(in: 0..<5000, using: &random))
                if try await sessions.load(session) != nil, Bool.random(using: &random) {
                    _ = try await sessions.delete(session)
                } else {
                    try await sessions.store(session, value(120))
                }
            }
            try await beat.wait()
        }
    }

    private func playRules() async throws {
        var random = SplitMix(seed: seed &+ 2)
        var beat = Beat(ticksPerSecond: DemoWorkload.ticksPerSecond)
        for rule in 0..<500 { try await rules.store(key("rule", rule), value(64)) }
        while true {
            for _ in 0..<50 { _ = try await rules.load(key("rule", Int.random(in: 0..<550, using: &random))) }
            try await rules.store(key("rule", Int.random(in: 0..<500, using: &random)), value(64))
            try await beat.wait()
        }
    }

    /// Several players do this at once, each second time with the same product.
    private func playProducts(_ player: UInt64) async throws {
        var random = SplitMix(seed: seed &+ 3 &+ player)
        var beat = Beat(ticksPerSecond: DemoWorkload.ticksPerSecond)
        while true {
            for step in 0..<600 {
                let product = key("product", step.isMultiple(of: 2) ? 0 : Int.random(in: 1..<3000, using: &random))
                let isThere = try await products.load(product) != nil
                if !isThere || step.isMultiple(of: 4) { try await products.store(product, value(512)) }
            }
            try await beat.wait()
        }
    }

    private func key(_ kind: String, _ number: Int) -> [UInt8] { Array("\(kind):\(number)".utf8) }

    private func value(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x78, count: count) }
}

/// What a player of orders does in one tick, a twentieth of a second.
private struct OrdersTick {
    let inserts: Int
    let updates: Int
    let deletes: Int

    static let fill = OrdersTick(inserts: 40, updates: 6, deletes: 0)
    static let trade = OrdersTick(inserts: 4, updates: 6, deletes: 4)

    /// Of 20,000 orders 20 go in a tick: 2 % a second.
    static func accident(_ standing: Int) -> OrdersTick {
        OrdersTick(inserts: 1, updates: 2, deletes: max(1, standing / 1000))
    }

    static func recovery(_ standing: Int) -> OrdersTick {
        OrdersTick(inserts: max(1, standing / 3000), updates: 6, deletes: 0)
    }
}

/// A steady pace: a tick that took long is not followed by a longer pause.
private struct Beat {
    private let clock = ContinuousClock()
    private let interval: Duration
    private var next: ContinuousClock.Instant

    init(ticksPerSecond: Int) {
        interval = .milliseconds(1000 / ticksPerSecond)
        next = clock.now
    }

    mutating func wait() async throws {
        next = max(next.advanced(by: interval), clock.now)
        try await Task.sleep(until: next, clock: clock)
    }
}
