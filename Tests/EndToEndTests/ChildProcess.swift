// A program that a test runs, and that never outlives it.
//
//     test ──▶ ChildProcess ──▶ supervising thread: spawns, reads both pipes to their ends, then reaps
//                  │                    │ setpriv --pdeathsig KILL: the kernel ends the child with that thread,
//                  └── deinit: SIGKILL, join           so also when the test process dies
//
// Why not Foundation.Process: it delivers the exit through a run loop, and a signal that is sent late could meet a
// process number that the kernel has given to somebody else. Here the number is freed under the lock that signals take.

import Foundation
import Glibc
import TestSupport

/// A running program whose output is collected line by line; killed and reaped with the last reference.
///
/// Safe to share among threads.
final class ChildProcess: Sendable {
    /// How a program ended.
    enum Exit: Equatable, Sendable {
        case code(Int32)
        case signal(Int32)
    }

    private let record: Record
    private let thread = ThreadGroup()

    /// Starts a program; `executable` is a path, `environment` is added to our own.
    init(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        standardInput: String = "/dev/null"
    ) throws {
        guard unsafe access("/usr/bin/setpriv", X_OK) == 0 else { throw MissingTool(name: "setpriv") }
        let record = Record(name: ([executable] + arguments).joined(separator: " "))
        let command = ["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", executable] + arguments
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        self.record = record
        thread.start { Supervisor.run(command, variables, standardInput: standardInput, into: record) }
        if let problem = record.waitForStart() { throw problem }
    }

    deinit {
        record.signal(SIGKILL)
        thread.join()
    }

    /// The lines of stderr so far.
    var errorLines: [String] { record.lines(of: .errors) }

    /// All of stdout so far.
    var output: String { record.text(of: .output) }

    /// All of stderr so far.
    var errors: String { record.text(of: .errors) }

    func signal(_ number: Int32) { record.signal(number) }

    /// The exit, once it has come; throws when that takes longer than a minute.
    func waitForExit() throws -> Exit {
        try record.wait("to exit") { $0.exit }
    }

    /// The first line of stderr that holds all these texts; throws when none comes.
    func waitForErrorLine(_ texts: String...) throws -> String {
        try waitForErrorLines(1, holding: texts)[0]
    }

    /// The first `count` lines of stderr that hold all these texts.
    func waitForErrorLines(_ count: Int, holding texts: [String]) throws -> [String] {
        try record.wait("to print \(count) line(s) with \(texts)") { state in
            let lines = Record.completeLines(state.text[.errors] ?? []).filter { line in
                texts.allSatisfy(line.contains)
            }
            if lines.count >= count { return Array(lines.prefix(count)) }
            return nil
        }
    }

    /// Runs a program to its end.
    static func run(
        _ executable: String, _ arguments: [String] = [], environment: [String: String] = [:],
        standardInput: String = "/dev/null"
    ) throws -> (exit: Exit, output: String, errors: String) {
        let child = try ChildProcess(
            executable, arguments, environment: environment, standardInput: standardInput)
        let exit = try child.waitForExit()
        return (exit, child.output, child.errors)
    }
}

/// A program that the tests need and that is not installed.
struct MissingTool: Error, CustomStringConvertible {
    let name: String

    var description: String { "\(name) is not in PATH; `make test` installs it" }

    /// The path of a program in PATH.
    static func path(of name: String) throws(MissingTool) -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        for folder in folders where unsafe access("\(folder)/\(name)", X_OK) == 0 { return "\(folder)/\(name)" }
        throw MissingTool(name: name)
    }
}

/// A program that did not do in time what a test waited for.
struct ChildProblem: Error, CustomStringConvertible {
    let description: String
}

extension ChildProcess {
    enum Stream: Sendable { case output, errors }

    /// What is known of a child, shared by the test and the supervising thread.
    ///
    /// Safety: `state` is touched only between `lock` and `unlock` of `condition`.
    final class Record: @unchecked Sendable {
        struct State {
            var process: pid_t?
            var problem: ChildProblem?
            var text: [Stream: [UInt8]] = [:]
            var exit: Exit?
        }

        private let name: String
        private let condition = NSCondition()
        private var state = State()

        init(name: String) { self.name = name }

        func change(_ body: (inout State) -> Void) {
            condition.lock()
            defer { condition.unlock() }
            body(&state)
            condition.broadcast()
        }

        func signal(_ number: Int32) {
            change { state in
                if let process = state.process, state.exit == nil { kill(process, number) }
            }
        }

        func text(of stream: Stream) -> String {
            condition.lock()
            defer { condition.unlock() }
            return String(decoding: state.text[stream] ?? [], as: UTF8.self)
        }

        func lines(of stream: Stream) -> [String] {
            condition.lock()
            defer { condition.unlock() }
            return Record.completeLines(state.text[stream] ?? [])
        }

        func waitForStart() -> ChildProblem? {
            condition.lock()
            defer { condition.unlock() }
            while state.process == nil, state.problem == nil { condition.wait() }
            return state.problem
        }

        /// What `look` finds, once it finds it; gives up after a minute, and once the child has ended.
        func wait<Found>(_ what: String, for look: (State) -> Found?) throws -> Found {
            let deadline = Date(timeIntervalSinceNow: 60)
            condition.lock()
            defer { condition.unlock() }
            while true {
                if let found = look(state) { return found }
                let hasEnded = state.exit != nil
                guard !hasEnded, condition.wait(until: deadline) else {
                    let said = String(decoding: (state.text[.errors] ?? []).suffix(4000), as: UTF8.self)
                    let why = hasEnded ? "it ended first" : "a minute has passed"
                    throw ChildProblem(description: "waited for \(name) \(what): \(why); it said:\n\(said)")
                }
            }
        }

        /// The lines that have their line feed.
        static func completeLines(_ bytes: [UInt8]) -> [String] {
            bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
                .map { String(decoding: $0, as: UTF8.self) }
        }
    }
}
