import Foundation
import Glibc
import TestSupport
import Testing

@Suite("What the service manager hears")
struct ServiceManagerTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    @Test("ready, reloading and ready again, stopping: at a path and under an abstract name", arguments: [false, true])
    func life(isAbstract: Bool) throws {
        let manager = try NotificationSocket(
            isAbstract ? "@mapwatch-test-\(UUID().uuidString)" : "\(folder.path)/notify")
        let daemon = try MapwatchProcess(environment: ["NOTIFY_SOCKET": manager.name])
        #expect(try manager.next().contains("READY=1"))
        // It said so once it was, not before.
        #expect(try daemon.web("GET", "/-/ready").status == 200)
        daemon.child.signal(SIGHUP)
        let reloading = try manager.next()
        #expect(reloading.contains("RELOADING=1"))
        let microseconds = reloading.compactMap { line in
            line.hasPrefix("MONOTONIC_USEC=") ? UInt64(line.dropFirst("MONOTONIC_USEC=".count)) : nil
        }
        var now = timespec()
        // Safety: the call only writes the local it is given.
        unsafe clock_gettime(CLOCK_MONOTONIC, &now)
        let age = UInt64(now.tv_sec) * 1_000_000 + UInt64(now.tv_nsec) / 1000 - (try #require(microseconds.first))
        #expect(age < 60_000_000)
        #expect(try manager.next().contains("READY=1"))
        #expect(try daemon.terminate(SIGTERM) == .code(0))
        #expect(try manager.next().contains("STOPPING=1"))
    }

    @Test("a reload that fails ends with READY too, since the old configuration holds")
    func failedReload() throws {
        let file = try folder.write("mapwatch.yml", "maps: []\n")
        let manager = try NotificationSocket("\(folder.path)/notify")
        let daemon = try MapwatchProcess(
            ["--config.file", file, "--web.enable-lifecycle"], environment: ["NOTIFY_SOCKET": manager.name])
        #expect(try manager.next().contains("READY=1"))
        _ = try folder.write("mapwatch.yml", "nonsense: 1\n")
        #expect(try daemon.web("POST", "/-/reload").status != 200)
        #expect(try manager.next().contains("RELOADING=1"))
        #expect(try manager.next().contains("READY=1"))
    }

    @Test("signs of life come as often as the watchdog wants them")
    func watchdog() throws {
        let manager = try NotificationSocket("\(folder.path)/notify")
        let daemon = try MapwatchProcess(
            environment: ["NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "100000"])
        #expect(try manager.next().contains("READY=1"))
        for _ in 0..<3 { #expect(try manager.next() == ["WATCHDOG=1"]) }
        #expect(try daemon.terminate(SIGTERM) == .code(0))
    }

    @Test("a socket that is not there is a warning, and the daemon serves")
    func nobodyListens() throws {
        let daemon = try MapwatchProcess(environment: ["NOTIFY_SOCKET": "\(folder.path)/nobody"])
        _ = try daemon.child.waitForErrorLine("cannot tell the service manager", "\(folder.path)/nobody", "errno 2")
        #expect(try daemon.web("GET", "/-/ready").status == 200)
        #expect(try daemon.terminate(SIGTERM) == .code(0))
    }
}
