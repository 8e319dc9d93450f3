import AccidentIndicators
import ConfigurationFile
import InstrumentedMaps
import Testing

@Suite("Configuration file")
struct ConfigurationTests {
    @Test("maps are read in order, with defaults where nothing is said")
    func goodFile() throws {
        let configuration = try Configuration(
            yaml: """
                maps:
                  - name: orders
                    strategy: sharded
                    shards: 64
                  - name: rules
                    strategy: rwlock
                  - name: sessions
                """, path: "mapwatch.yml")
        #expect(configuration.maps.map(\.name.text) == ["orders", "rules", "sessions"])
        #expect(configuration.maps.map(\.options.shards) == [64, 1, MapOptions.defaultShards])
        #expect(configuration.maps.map(\.options.strategy) == [.sharded, .rwlock, .sharded])
    }

    @Test("lines are a map's own, and what is not named is the articles'")
    func lines() throws {
        let configuration = try Configuration(
            yaml: """
                maps:
                  - name: orders
                    lines:
                      delete_ratio: 0.5
                      size_mutation_streak: 4
                  - name: rules
                """, path: "mapwatch.yml")
        let orders = configuration.maps[0].lines
        #expect(orders.line(.deleteRatio, shards: 32) == 0.5)
        #expect(orders.line(.sizeMutationStreak, shards: 32) == 4)
        #expect(orders.line(.signatureDeleteRatio, shards: 32) == 0.42)
        #expect(configuration.maps[1].lines == IndicatorLines())
    }

    @Test("a file that says nothing hosts nothing", arguments: ["", "# only a comment\n", "maps:\n", "maps: []\n"])
    func emptyFile(text: String) throws {
        #expect(try Configuration(yaml: text, path: "mapwatch.yml").maps.isEmpty)
    }

    @Test(
        "a mistake is named with its line, its value and the way out",
        arguments: [
            ("mapz: []", "mapwatch.yml:1: key \"mapz\" is unknown; known are maps, max_bytes"),
            ("max_bytes: lots", "mapwatch.yml:1: max_bytes must be a whole number of at least 65536, not lots"),
            (
                "max_bytes: 5\nmaps: []",
                "mapwatch.yml:1: max_bytes must be a whole number of at least 65536, not 5"
            ),
            (
                "max_bytes: 9223372036854775807:59",
                "mapwatch.yml:1: max_bytes must be a whole number of at least 65536, not 9223372036854775807:59"
            ),
            ("- a\n- b", "mapwatch.yml:1: the file must be a mapping of keys to values"),
            ("maps: 3", "mapwatch.yml:1: maps must be a list of maps"),
            ("maps:\n  - 7", "mapwatch.yml:2: a map must be a mapping of keys to values"),
            ("maps:\n  - shards: 4", "mapwatch.yml:2: a map has no name"),
            (
                "maps:\n  - name: A",
                "mapwatch.yml:2: map name \"A\" is not 1 to 64 characters of a-z, 0-9, _ and -"
            ),
            (
                "maps:\n  - name: a\n    shardz: 4",
                "mapwatch.yml:3: map \"a\": option \"shardz\" is unknown; "
                    + "known are strategy, shards, reads, max_bytes, ttl_seconds, mode, hash, policy, check_reads, guard"
            ),
            (
                "maps:\n  - name: a\n    ttl_seconds: 0",
                "mapwatch.yml:3: map \"a\": ttl_seconds must be 1 to 31536000, not 0"
            ),
            (
                "maps:\n  - name: a\n    strategy: magic",
                "mapwatch.yml:3: map \"a\": strategy \"magic\" is unknown; known are sharded, rwlock, checked"
            ),
            (
                "maps:\n  - name: a\n    shards: 153722867280912931:59",
                "mapwatch.yml:3: map \"a\": shards must be a whole number, not 153722867280912931:59"
            ),
            ("maps:\n  - name: a\n    shards: 0", "mapwatch.yml:3: map \"a\": shards must be 1 to 1024, not 0"),
            (
                "maps:\n  - name: a\n    shards: 5000",
                "mapwatch.yml:3: map \"a\": shards must be 1 to 1024, not 5000"
            ),
            (
                "maps:\n  - name: a\n    shards: \"4\"",
                "mapwatch.yml:3: map \"a\": shards must be a whole number, not \"4\""
            ),
            (
                "maps:\n  - name: a\n    shards: 1.5",
                "mapwatch.yml:3: map \"a\": shards must be a whole number, not 1.5"
            ),
            (
                "maps:\n  - name: a\n    strategy: rwlock\n    shards: 4",
                "mapwatch.yml:4: map \"a\": shards cannot be set: strategy \"rwlock\" has one lock"
            ),
            (
                "maps:\n  - name: a\n    hash: md5",
                "mapwatch.yml:3: map \"a\": hash \"md5\" is unknown; known are keyed, fnv1a, identity"
            ),
            (
                "maps:\n  - name: a\n    strategy: rwlock\n    hash: fnv1a",
                "mapwatch.yml:4: map \"a\": hash cannot be set: strategy \"rwlock\" has one shard"
            ),
            (
                "maps:\n  - name: a\n    lines: 3",
                "mapwatch.yml:3: lines of map \"a\" must be a mapping of keys to values"
            ),
            (
                "maps:\n  - name: a\n    lines:\n      delete_ratio: high",
                "mapwatch.yml:4: map \"a\": line delete_ratio must be a number, not high"
            ),
            (
                "maps:\n  - lines:\n      delete_ratio: 42\n    name: a",
                "mapwatch.yml:3: map \"a\": line delete_ratio must be 0.001 to 1.0, not 42.0"
            ),
            (
                "maps:\n  - name: a\n    lines:\n      delete_share: 0.4",
                "mapwatch.yml:4: map \"a\": line \"delete_share\" is unknown; known are delete_ratio, "
                    + "delete_ratio_amber, size_mutation_ratio, size_mutation_streak, signature_delete_ratio, "
                    + "signature_size_mutation_ratio, delete_during_iteration_ratio, shard_imbalance_ratio, "
                    + "conflict_ratio, read_retry_ratio, iterator_age_seconds"
            ),
            ("maps:\n  - name: a\n  - name: a", "mapwatch.yml:3: map \"a\" stands twice"),
        ])
    func badFile(text: String, expected: String) {
        #expect {
            try Configuration(yaml: text, path: "mapwatch.yml")
        } throws: {
            "\($0)" == expected
        }
    }

    @Test(
        "what is no YAML, or says one thing twice, is refused with its place",
        arguments: ["maps: [", "maps: []\nmaps: []", "maps:\n  - name: a\n    shards: 4\n    shards: 8", "\u{0}"])
    func noYAML(text: String) {
        #expect {
            try Configuration(yaml: text, path: "mapwatch.yml")
        } throws: {
            "\($0)".hasPrefix("mapwatch.yml") && "\($0)".count < 300
        }
    }
}
