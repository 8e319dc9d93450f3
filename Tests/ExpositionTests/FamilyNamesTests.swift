import Exposition
import Testing

@Suite("Names of families")
struct FamilyNamesTests {
    private static func family(_ name: MetricName, _ type: MetricType) -> MetricFamily {
        MetricFamily(name, type, help: "x")
    }

    private static let collisions: [(MetricFamily, MetricFamily, String)] = [
        (family("m_entries", .gauge), family("m_entries_total", .counter), "m_entries"),
        (family("m_entries_total", .counter), family("m_entries", .gauge), "m_entries"),
        (family("m_entries_total", .counter), family("m_entries_created", .gauge), "m_entries_created"),
        (family("m", .histogram), family("m_sum", .gauge), "m_sum"),
        (family("m", .histogram), family("m_count", .gauge), "m_count"),
        (family("m", .histogram), family("m_bucket", .gauge), "m_bucket"),
        (family("m", .histogram), family("m_total", .counter), "m"),
        (family("m_sum", .gauge), family("m", .histogram), "m_sum"),
        (family("m", .gauge), family("m", .histogram), "m"),
    ]

    @Test("a family that has another's name in some format is refused, and both are named", arguments: collisions)
    func refused(first: MetricFamily, second: MetricFamily, name: String) throws {
        var names = FamilyNames()
        try names.claim(first, for: "one")
        for owner in ["one", "two"] {
            let collision = #expect(throws: FamilyCollision.self) { try names.claim(second, for: owner) }
            #expect(collision == .taken(name, of: second.name, by: first.name))
            #expect(
                collision?.description
                    == "family \(second.name) would collide with \(first.name): both have the name \(name) in some "
                    + "format; rename one")
        }
    }

    @Test("the same family again is its owner's right, and nobody else's")
    func again() throws {
        var names = FamilyNames()
        let family = Self.family("m_total", .counter)
        try names.claim(family, for: "one")
        try names.claim(family, for: "one")
        #expect(throws: FamilyCollision.taken("m", of: "m_total", by: "m_total")) {
            try names.claim(family, for: "two")
        }
    }

    @Test("neighbours do not collide")
    func neighbours() throws {
        var names = FamilyNames()
        for family in [
            Self.family("map_entries", .gauge), Self.family("map_entries_added_total", .counter),
            Self.family("map_op_total", .counter), Self.family("map_op_duration_seconds", .histogram),
            Self.family("map_op_duration", .gauge), Self.family("map_op_duration_seconds_sums", .gauge),
        ] {
            try names.claim(family, for: "maps")
        }
    }

    @Test("counters end in _total, and nothing else does")
    func suffixes() {
        var names = FamilyNames()
        #expect(throws: FamilyCollision.suffix("m", .counter)) { try names.claim(Self.family("m", .counter), for: "a") }
        #expect(throws: FamilyCollision.suffix("m_total", .gauge)) {
            try names.claim(Self.family("m_total", .gauge), for: "a")
        }
        #expect(
            FamilyCollision.suffix("m", .counter).description
                == "counter m must end in _total, as OpenMetrics has it; rename it")
        #expect(
            FamilyCollision.suffix("m_total", .gauge).description
                == "gauge m_total must not end in _total, which says counter; rename it")
    }
}
