public import InstrumentedMaps

// A small workload for the first five minutes with mapwatch: three maps, each of another character, about a thousand
// operations a second each, so that every counter moves and a curl every few seconds shows something.
//
//     orders    sharded   grows steadily; every 30 s the finished half is swept away in one burst of deletes
//     sessions  sharded   churns: as many log in as log out
//     rules     rwlock    nearly only read; a few updates a second

/// Keeps hosted maps busy until its task is cancelled.
public struct DemoWorkload: Sendable {
    /// The maps that the workload wants, by name.
    public static func maps() throws -> [(name: MapName, options: MapOptions)] {
        [
            (try MapName("orders"), try MapOptions()),
            (try MapName("sessions"), try MapOptions()),
            (try MapName("rules"), try MapOptions(strategy: .rwlock)),
        ]
    }

    private let orders: any MapTarget
    private let sessions: any MapTarget
    private let rules: any MapTarget
    private let seed: UInt64

    public init(orders: any MapTarget, sessions: any MapTarget, rules: any MapTarget, seed: UInt64) {
        self.orders = orders
        self.sessions = sessions
        self.rules = rules
        self.seed = seed
    }

    /// Runs until the task is cancelled, or until a target fails.
    public func run() async {
        await withTaskGroup { group in
            group.addTask { try? await playOrders() }
            group.addTask { try? await playSessions() }
            group.addTask { try? await playRules() }
        }
    }

    /// Ticks per second of each player.
    private static let ticksPerSecond = 20

    private func playOrders() async throws {
        var oldest = 0
        var next = 0
        var random = SplitMix(seed: seed)
        while true {
            for second in 0..<30 {
                for _ in 0..<DemoWorkload.ticksPerSecond {
                    for _ in 0..<40 {
                        try await orders.store(key("order", next), value(256))
                        next += 1
                        _ = try await orders.load(key("order", Int.random(in: oldest..<next, using: &random)))
                    }
                    try await pause()
                }
                if second == 29 {
                    let end = oldest + (next - oldest) / 2
                    for order in oldest..<end { _ = try await orders.delete(key("order", order)) }
                    oldest = end
                }
            }
        }
    }

    private func playSessions() async throws {
        var random = SplitMix(seed: seed &+ 1)
        while true {
            for _ in 0..<30 {
                let session = key("session", Int.random(in: 0..<5000, using: &random))
                if try await sessions.load(session) != nil, Bool.random(using: &random) {
                    _ = try await sessions.delete(session)
                } else {
                    try await sessions.store(session, value(120))
                }
            }
            try await pause()
        }
    }

    private func playRules() async throws {
        var random = SplitMix(seed: seed &+ 2)
        for rule in 0..<500 { try await rules.store(key("rule", rule), value(64)) }
        while true {
            for _ in 0..<50 { _ = try await rules.load(key("rule", Int.random(in: 0..<550, using: &random))) }
            try await rules.store(key("rule", Int.random(in: 0..<500, using: &random)), value(64))
            try await pause()
        }
    }

    private func pause() async throws {
        try await Task.sleep(for: .milliseconds(1000 / DemoWorkload.ticksPerSecond))
    }

    private func key(_ kind: String, _ number: Int) -> [UInt8] { Array("\(kind):\(number)".utf8) }

    private func value(_ count: Int) -> [UInt8] { [UInt8](repeating: 0x78, count: count) }
}
