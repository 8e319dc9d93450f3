import InstrumentedMaps

/// A role is revoked: its sessions must be gone at once, but a loop deletes them one by one while they are still used.
struct SessionRevocation: Scenario {
    static let card = ScenarioCard(
        name: "session-revocation", title: "session revocation", origin: .ours,
        story: "a revoked role's sessions must be gone at once, but a loop deletes them while they are still read",
        fix: .init("delete-by-prefix", "one call names the role; it collects, then deletes, before anybody goes on"),
        lanes: ["revocation", "logins", "requests"])

    private let way: ScenarioWay
    private var roles: [Population]

    init(seed: UInt64, way: ScenarioWay) {
        self.way = way
        roles = ["role-a", "role-b", "role-c", "role-d"].enumerated().map { index, kind in
            Population(kind, bytes: 150, seed: seed &+ UInt64(index))
        }
    }

    mutating func plan(second: Int) -> [Turn] {
        guard !ScenarioTime.fill.contains(second) else {
            return [.lanes([roles.indices.flatMap { roles[$0].arrive(ScenarioTime.fill(1500, second: second)) }])]
        }
        // New sessions, and those that last, are of the last role.
        let last = roles.count - 1
        let gone = roles[last].depart(4).map { Step.remove($0) }
        let used = roles[last].update(12)
        let read = roles[last].read(30)
        let others = used + roles[last].arrive(4)
        guard let since = ScenarioTime.accident(at: second) else { return [.lanes([gone, others, read])] }
        let overlap = Turn.overlap(
            .walk(way == .naive ? .live : .snapshot, pageEntries: 2000), roles[last].touchNewest())
        guard since.isMultiple(of: 20), since / 20 < last else { return [.lanes([gone, others, read]), overlap] }
        let kind = roles[since / 20].kind
        let revoked = roles[since / 20].depart(.max / 2)
        let requests = Turn.lanes([
            revoked.prefix(revoked.count / 2).map { .get($0) },
            revoked.suffix(revoked.count - revoked.count / 2).map { .get($0) },
        ])
        guard way == .naive else {
            return [
                .lanes([[.revoke(revoked), .sweep(revoked, .byPrefix(kind))], others + gone, read]), requests, overlap,
            ]
        }
        return [
            .lanes([[.revoke(revoked)]]),
            .lanes([
                [.sweep(revoked, .inTheLoop(pageEntries: 50, limit: revoked.count / 2))], others + gone, read,
            ]),
            requests,
            .lanes([[.sweep(revoked, .inTheLoop(pageEntries: 50, limit: .max))]]),
            overlap,
        ]
    }
}
