import Foundation
import TestSupport
import Testing

/// What a program pays in shared libraries for the map engine: the race probe imports the engine and nothing else of note.
@Suite("What the engine links")
struct LibraryLinkTests {
    private static func libraries(of program: String) throws -> String {
        let result = try ChildProcess.run("/usr/bin/ldd", [program])
        #expect(result.exit == .code(0))
        return result.output
    }

    @Test("a program with the map engine links neither libmicrohttpd nor Foundation, and the daemon does")
    func engineIsLight() throws {
        let folder = URL(fileURLWithPath: try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
            .deletingLastPathComponent().path
        let engine = try Self.libraries(of: folder + "/race-probe")
        #expect(engine.contains("libswiftCore"))
        #expect(!engine.contains("Foundation"), "\(engine)")
        #expect(!engine.contains("microhttpd"), "\(engine)")
        let daemon = try Self.libraries(of: folder + "/mapwatch")
        #expect(daemon.contains("Foundation"))
        #expect(daemon.contains("microhttpd"))
    }
}
