import Foundation
import Glibc
import TestSupport
import Testing

@Suite("The configuration file")
struct ConfigurationTests {
    private static let good = """
        # maps to host from the start
        maps:
          - name: orders
            strategy: sharded
            shards: 64
          - name: rules
            strategy: rwlock
          - name: plain
        """

    /// A file that is refused: its text, the line that is named, and what is said of it.
    private static let bad: [(text: String, line: Int, says: String)] = [
        ("map:\n  - name: a\n", 1, "key \"map\" is unknown; known are maps, max_bytes"),
        ("maps:\n  - name: a\n    stripes: 3\n", 3, "option \"stripes\" is unknown; known are"),
        ("maps:\n  - name: Big Orders\n", 2, "map name \"Big Orders\" is not 1 to 64 characters"),
        ("maps:\n  - name: a\n    strategy: striped\n", 3, "strategy \"striped\" is unknown; known are"),
        ("maps:\n  - name: a\n  - name: b\n    shards: 0\n", 4, "shards must be 1 to 1024, not 0"),
        ("maps:\n  - name: a\n    shards: 5000\n", 3, "shards must be 1 to 1024, not 5000"),
        ("maps:\n  - name: a\n    shards: \"4\"\n", 3, "shards must be a whole number, not \"4\""),
        ("maps:\n  - name: a\n    strategy: rwlock\n    shards: 2\n", 4, "strategy \"rwlock\" has one lock"),
        ("maps:\n  - name: a\n  - name: b\n  - name: a\n", 4, "map \"a\" stands twice"),
        ("maps:\n  - shards: 4\n", 2, "a map has no name"),
        ("maps:\n  - name: a\n    shards: 4\n    shards: 5\n", 3, "key \"shards\" stands twice"),
        ("maps: 7\n", 1, "maps must be a list of maps"),
        ("maps:\n  - name: [\n", 3, "not valid YAML"),
    ]

    @Test("a good file passes check-config, and its maps exist when the daemon serves")
    func goodFile() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("good.yml", Self.good)
        let check = try MapwatchProcess.run(["check-config", file])
        #expect(check.exit == .code(0))
        #expect(check.errors == "")
        #expect(check.output.hasPrefix("\(file): good, 3 maps\n"))
        #expect(check.output.contains("orders: sharded, 64 shard"))

        let daemon = try MapwatchProcess(["--config.file", file])
        let shards = try daemon.scrape().samples("map_info").map {
            "\($0.labels["map_name"] ?? "") \($0.labels["strategy"] ?? "") \($0.labels["shards"] ?? "")"
        }
        #expect(shards == ["orders sharded 64", "plain sharded 32", "rules rwlock 1"])
        #expect(try daemon.data("PUT", entry("orders", "k"), body: "v").status == 201)
        #expect(try daemon.data("PUT", "/api/v1/maps/rules", body: "{\"strategy\":\"rwlock\"}").status == 200)
    }

    @Test("an empty file is a good one without maps", arguments: ["", "# nothing yet\n", "maps:\n", "maps: []\n"])
    func emptyFile(text: String) throws {
        let folder = try TemporaryFolder()
        let check = try MapwatchProcess.run(["check-config", folder.write("empty.yml", text)])
        #expect(check.exit == .code(0))
        #expect(check.output.contains("good, 0 maps"))
    }

    @Test("a bad file is refused by check-config and by serve, with its name, the line and the value", arguments: bad)
    func badFile(text: String, line: Int, says: String) throws {
        let folder = try TemporaryFolder()
        let file = try folder.write("bad.yml", text)
        let check = try MapwatchProcess.run(["check-config", file])
        #expect(check.exit == .code(1))
        #expect(check.output == "")
        #expect(check.errors.hasPrefix("\(file):\(line): "), "\(check.errors)")
        #expect(check.errors.contains(says), "\(check.errors)")

        let serve = try MapwatchProcess.run([
            "serve", "--config.file", file, "--web.listen-address", "127.0.0.1:0", "--data.listen-address",
            "127.0.0.1:0",
        ])
        #expect(serve.exit == .code(1))
        #expect(!serve.errors.contains("serving"))
        #expect(serve.errors.contains("\(file):\(line): "), "\(serve.errors)")
        #expect(serve.errors.contains(says.replacingOccurrences(of: "\"", with: "\\\"")), "\(serve.errors)")
    }

    @Test("a file that cannot be read is named with the errno")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        let missing = "\(folder.path)/missing.yml"
        for command in [["check-config", missing], ["serve", "--config.file", missing]] {
            let result = try MapwatchProcess.run(command)
            #expect(result.exit == .code(1))
            #expect(result.errors.contains("cannot read \(missing): no such file or directory (errno 2)"))
        }
        let directory = try MapwatchProcess.run(["check-config", folder.path])
        #expect(directory.exit == .code(1))
        #expect(directory.errors.contains("is a directory (errno 21)"))
    }
}
