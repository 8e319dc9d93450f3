public import InstrumentedMaps

// What goes on beside the accidents, so that the boards have more to show than those:
//
//     sessions  sharded   churns, as many log in as log out; its readers take no lock
//     products  sharded   everybody asks for one product: a hot shard
//     rules     rwlock    nearly only read; a few updates a second

/// Keeps hosted maps busy until its task is cancelled.
public struct DemoBaseline: Sendable {
    /// The maps that the workload wants, by name.
    public static func maps() throws -> [(name: MapName, options: MapOptions)] {
        [
            (try MapName("sessions"), try MapOptions(reads: .optimistic)),
            (try MapName("rules"), try MapOptions(strategy: .rwlock)),
            (try MapName("products"), try MapOptions()),
        ]
    }

    private let sessions: any MapTarget
    private let rules: any MapTarget
    private let products: any MapTarget
    private let seed: UInt64

    public init(
        sessions: any MapTarget, rules: any MapTarget, products: any MapTarget, seed: UInt64
    ) {
        self.sessions = sessions
        self.rules = rules
        self.products = products
        self.seed = seed
    }

    /// Runs until the task is cancelled, or until a target fails.
    public func run() async {
        await withTaskGroup { group in
            group.addTask { try? await playSessions() }
            group.addTask { try? await playRules() }
            for player in 0..<3 as Range<UInt64> { group.addTask { try? await playProducts(player) } }
        }
    }

    /// Of each player.
    private static let ticksPerSecond = 20

    private func playSessions() async throws {
        var random = SplitMix(seed: seed &+ 1)
        var beat = Beat(ticksPerSecond: DemoBaseline.ticksPerSecond)
        while true {
            for _ in 0..<30 {
                let session = key("session", Int.random(in: 0..<5000, using: &random))
                if try sessions.load(session) != nil, Bool.random(using: &random) {
                    _ = try sessions.delete(session)
                } else {
                    try sessions.store(session, value(120))
                }
            }
            try await beat.wait()
        }
    }

    private func playRules() async throws {
        var random = SplitMix(seed: seed &+ 2)
        var beat = Beat(ticksPerSecond: DemoBaseline.ticksPerSecond)
        for rule in 0..<500 { try rules.store(key("rule", rule), value(64)) }
        while true {
            for _ in 0..<50 { _ = try rules.load(key("rule", Int.random(in: 0..<550, using: &random))) }
            try rules.store(key("rule", Int.random(in: 0..<500, using: &random)), value(64))
            try await beat.wait()
        }
    }

    /// Several players do this at once, each second time with the same product.
    private func playProducts(_ player: UInt64) async throws {
        var random = SplitMix(seed: seed &+ 3 &+ player)
        var beat = Beat(ticksPerSecond: DemoBaseline.ticksPerSecond)
        while true {
            for step in 0..<600 {
                let product = key("product", step.isMultiple(of: 2) ? 0 : Int.random(in: 1..<3000, using: &random))
                let isThere = try products.load(product) != nil
                if !isThere || step.isMultiple(of: 4) { try products.store(product, value(512)) }
            }
            try await beat.wait()
        }
    }

    private func key(_ kind: String, _ number: Int) -> [UInt8] { Array("\(kind):\(number)".utf8) }

    private func value(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x78, count: count) }
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
