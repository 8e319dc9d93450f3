import Foundation
import Glibc
import Synchronization
import TestSupport

/// A folder of its own that goes with the last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/mapwatch-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Writes a file and gives its path.
    func write(_ name: String, _ text: String) throws -> String {
        let file = "\(path)/\(name)"
        try Data(text.utf8).write(to: URL(fileURLWithPath: file))
        return file
    }
}

/// Beats at a fixed interval. The one place that waits for a clock, for what has no event: the pace of a steady load, and
/// the answers of a program that can only be asked.
struct Ticker {
    private let interval: Int
    private var next = timespec()

    init(milliseconds: Int) {
        interval = milliseconds * 1_000_000
        // Safety: the call only writes the local it is given.
        unsafe clock_gettime(CLOCK_MONOTONIC, &next)
    }

    /// Blocks until the next beat; returns at once when it has passed already, so that the mean pace holds.
    mutating func waitForBeat() {
        let nanoseconds = next.tv_nsec + interval
        next = timespec(tv_sec: next.tv_sec + nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
        // Safety: the call only reads `next`.
        while unsafe clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, nil) == EINTR {}
    }
}

/// Asks again and again, ten times a second, until there is an answer; for programs that report no event.
func pollUntilAnswered<Answer>(
    _ what: String, seconds: Int = 60, _ ask: () throws -> Answer?
) throws -> Answer {
    var ticker = Ticker(milliseconds: 100)
    for _ in 0..<(seconds * 10) {
        if let answer = try ask() { return answer }
        ticker.waitForBeat()
    }
    throw ChildProblem(description: "waited \(seconds) s for \(what)")
}

/// As ``pollUntilAnswered(_:seconds:_:)``, until a condition holds.
func pollUntil(_ what: String, _ condition: () throws -> Bool) throws {
    _ = try pollUntilAnswered(what) { try condition() ? true : nil }
}

/// What several threads have returned.
private final class Answers<Answer: Sendable>: Sendable {
    let all = Mutex<[Int: Result<Answer, any Error>]>([:])
}

/// Runs `body` on as many threads at once, each with its number, and gives what each returned.
func inParallel<Answer: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (_ number: Int) throws -> Answer
) throws -> [Answer] {
    let answers = Answers<Answer>()
    ThreadGroup.run(count) { number in
        let answer = Result { try body(number) }
        answers.all.withLock { $0[number] = answer }
    }
    let all = answers.all.withLock { $0 }
    return try (0..<count).compactMap { try all[$0]?.get() }
}

/// Runs a body that blocks for long on a thread of its own, so that the few threads of the tasks stay free.
func onOwnThread<Answer: Sendable>(_ body: @escaping @Sendable () throws -> Answer) async throws -> Answer {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try body() }) }
    }
}

/// Bytes as they stand in a path or a query: all but letters and digits as `%HH`.
func percentEncoded(_ bytes: some Sequence<UInt8>) -> String {
    bytes.reduce(into: "") { text, byte in
        let character = Character(UnicodeScalar(byte))
        if character.isASCII, character.isLetter || character.isNumber {
            text.append(character)
        } else {
            text += byte < 16 ? "%0" : "%"
            text += String(byte, radix: 16, uppercase: true)
        }
    }
}

/// The path of an entry.
func entry(_ map: String, _ key: some Sequence<UInt8>) -> String {
    "/api/v1/maps/\(map)/entries/\(percentEncoded(key))"
}

/// The path of an entry whose key is a text.
func entry(_ map: String, _ key: String) -> String { entry(map, key.utf8) }

/// Base64, by Foundation and so apart from the daemon's own.
func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

/// The files of the package, found from this one.
func packageFile(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().path + "/" + name
}

/// An `application/problem+json`.
struct Problem: Decodable {
    let title: String
    let status: Int
    let detail: String
    let field: String?

    init(_ response: HTTPClientResponse) throws {
        self = try JSONDecoder().decode(Problem.self, from: Data(response.body))
    }
}
