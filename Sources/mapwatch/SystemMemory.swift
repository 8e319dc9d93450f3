import Glibc

/// How much memory this process may count on.
enum SystemMemory {
    /// The cgroup's limit where there is one, else the machine's memory, in bytes.
    static func available() -> Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        let limits = cgroups((try? System.readFile("/proc/self/cgroup")) ?? "").compactMap { path in
            limit((try? System.readFile("/sys/fs/cgroup\(path)/memory.max")) ?? "")
        }
        return limits.reduce(machine, min)
    }

    /// The unified cgroup of `/proc/self/cgroup` (a line `0::/path`) and those above it, each of which may set a limit.
    static func cgroups(_ text: String) -> [String] {
        for line in text.split(separator: "\n") where line.hasPrefix("0::/") {
            var paths = [""]
            for part in line.dropFirst(4).split(separator: "/") { paths.append("\(paths[paths.count - 1])/\(part)") }
            return paths
        }
        return []
    }

    /// The number in a `memory.max`; nil for `max`, which is no limit.
    static func limit(_ text: String) -> Int? {
        Int(text.prefix { $0 != "\n" })
    }
}
