import Foundation
import Glibc

/// The life of one child, from spawn to reaping, on a thread of its own.
enum Supervisor {
    static func run(
        _ command: [String], _ environment: [String], standardInput: String, into record: ChildProcess.Record
    ) {
        do {
            let output = try Pipe()
            let errors = try Pipe()
            defer {
                close(output.readEnd)
                close(errors.readEnd)
            }
            let spawned = Result {
                try spawn(
                    command, environment, standardInput: standardInput, output: output.writeEnd,
                    errors: errors.writeEnd)
            }
            // Only the child writes, so that its end is the pipes' end.
            close(output.writeEnd)
            close(errors.writeEnd)
            let process = try spawned.get()
            record.change { $0.process = process }
            collect([(output.readEnd, .output), (errors.readEnd, .errors)], into: record)
            reap(process, into: record)
        } catch {
            record.change { $0.problem = ChildProblem(description: "cannot start \(command): \(error)") }
        }
    }

    private struct Pipe {
        let readEnd: Int32
        let writeEnd: Int32

        init() throws {
            var ends: [Int32] = [-1, -1]
            // A pair of sockets, because Swift sees no pipe2: a pipe that is marked later leaks into other children.
            let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
            // Safety: the call writes two descriptors into the array of two.
            guard unsafe socketpair(AF_UNIX, type, 0, &ends) == 0 else {
                throw ChildProblem(description: "socketpair: errno \(errno)")
            }
            (readEnd, writeEnd) = (ends[0], ends[1])
        }
    }

    /// Reads both pipes until the child, and whoever it started, has closed them.
    private static func collect(_ pipes: [(Int32, ChildProcess.Stream)], into record: ChildProcess.Record) {
        var open = pipes
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while !open.isEmpty {
            var waits = open.map { pollfd(fd: $0.0, events: Int16(POLLIN), revents: 0) }
            // Safety: poll writes only `revents` of the array's own elements.
            guard unsafe poll(&waits, nfds_t(waits.count), -1) > 0 else { continue }
            var ended: Set<Int32> = []
            for (wait, pipe) in zip(waits, open) where wait.revents != 0 {
                // Safety: at most `buffer.count` bytes are written into the array.
                let count = unsafe read(pipe.0, &buffer, buffer.count)
                if count > 0 {
                    record.change { $0.text[pipe.1, default: []] += buffer[..<count] }
                } else if count == 0 || errno != EINTR {
                    ended.insert(pipe.0)
                }
            }
            open.removeAll { ended.contains($0.0) }
        }
    }

    /// Waits for the end without freeing the process number, then frees it under the lock that signals take.
    private static func reap(_ process: pid_t, into record: ChildProcess.Record) {
        var info = unsafe siginfo_t()
        // Safety: each call writes only to the local that it is given.
        while unsafe waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        record.change { state in
            var status: Int32 = 0
            while unsafe waitpid(process, &status, 0) < 0, errno == EINTR {}
            // As WIFEXITED, WEXITSTATUS and WTERMSIG have it, which are macros.
            state.exit = status & 0x7f == 0 ? .code((status >> 8) & 0xff) : .signal(status & 0x7f)
        }
    }

    private static func spawn(
        _ command: [String], _ environment: [String], standardInput: String, output: Int32, errors: Int32
    ) throws -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, standardInput, O_RDONLY, 0)
        unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
        unsafe posix_spawn_file_actions_adddup2(&actions, errors, 2)
        // A runner may ignore SIGINT or SIGPIPE; the child must begin as it would in a shell.
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe _ = posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        var all = sigset_t()
        unsafe sigemptyset(&none)
        unsafe sigfillset(&all)
        unsafe posix_spawnattr_setsigmask(&attributes, &none)
        unsafe posix_spawnattr_setsigdefault(&attributes, &all)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // Safety: the copies live until the spawn has returned, and both lists end with nil.
        var arguments = unsafe command.map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer { unsafe (arguments + variables).forEach { unsafe free($0) } }
        var process: pid_t = 0
        let status = unsafe posix_spawn(&process, command[0], &actions, &attributes, &arguments, &variables)
        guard status == 0 else { throw ChildProblem(description: "posix_spawn: errno \(status)") }
        return process
    }
}
