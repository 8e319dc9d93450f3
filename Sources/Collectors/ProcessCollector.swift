public import Exposition
import Glibc

/// The process as Prometheus' client libraries show it, from `/proc/self`.
public struct ProcessCollector: Collector {
    public let name = "process"

    public init() {}

    public func collect(_ scrape: Scrape) throws -> [MetricFamily] {
        let stat = try ProcessStat(ProcFile.read("/proc/self/stat"))
        let boot = try ProcessStat.bootTime(ProcFile.read("/proc/stat"))
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        return [
            MetricFamily(
                "process_cpu_seconds_total", .counter, help: "Total user and system CPU time spent in seconds.",
                value: .real(Double(stat.userTicks + stat.systemTicks) / ticks)),
            MetricFamily(
                "process_resident_memory_bytes", .gauge, help: "Resident memory size in bytes.",
                value: .count(stat.residentPages * UInt64(sysconf(Int32(_SC_PAGESIZE))))),
            MetricFamily(
                "process_virtual_memory_bytes", .gauge, help: "Virtual memory size in bytes.",
                value: .count(stat.virtualBytes)),
            MetricFamily(
                "process_threads", .gauge, help: "Number of operating system threads.", value: .count(stat.threads)),
            MetricFamily(
                "process_start_time_seconds", .gauge,
                help: "Start time of the process since unix epoch in seconds.",
                value: .real(boot + Double(stat.startTicks) / ticks)),
            MetricFamily(
                "process_open_fds", .gauge, help: "Number of open file descriptors.",
                value: .count(try ProcFile.entryCount("/proc/self/fd"))),
            MetricFamily(
                "process_max_fds", .gauge, help: "Maximum number of open file descriptors.",
                value: .count(try ProcFile.descriptorLimit())),
        ]
    }
}

/// The fields of `/proc/PID/stat` that we show (proc(5)); times are in clock ticks.
struct ProcessStat: Equatable {
    let userTicks: UInt64
    let systemTicks: UInt64
    let threads: UInt64
    let startTicks: UInt64
    let virtualBytes: UInt64
    let residentPages: UInt64

    /// The program's name stands in parentheses and may itself hold spaces and parentheses: fields count from the last.
    init(_ text: String) throws(ProcFileError) {
        guard let end = text.lastIndex(of: ")") else { throw .unreadable("/proc/self/stat", "it names no program") }
        let fields = text[text.index(after: end)...].split(whereSeparator: \.isWhitespace)
        /// `number` counts as proc(5) does, where the state behind the name is field 3.
        func field(_ number: Int) throws(ProcFileError) -> UInt64 {
            guard number - 3 < fields.count, let value = UInt64(fields[number - 3]) else {
                throw .unreadable("/proc/self/stat", "field \(number) is no number")
            }
            return value
        }
        userTicks = try field(14)
        systemTicks = try field(15)
        threads = try field(20)
        startTicks = try field(22)
        virtualBytes = try field(23)
        residentPages = try field(24)
    }

    /// When the machine booted, in seconds since 1970, from `/proc/stat`.
    static func bootTime(_ text: String) throws(ProcFileError) -> Double {
        for line in text.split(separator: "\n") where line.hasPrefix("btime ") {
            if let seconds = Double(line.dropFirst(6)) { return seconds }
        }
        throw .unreadable("/proc/stat", "it has no btime")
    }
}
