import Exposition
import Glibc
import InstrumentedMaps
import TestSupport
import Testing

@testable import Collectors

@Suite("ProcessCollector")
struct ProcessCollectorTests {
    private static let fields =
        "S 1 4242 4242 0 -1 4194560 1500 0 3 0 731 219 0 0 20 0 6 0 88001 812646400 9001 18446744073709551615 1 1 0"

    @Test(
        "the fields are counted from behind the program's name, whatever it holds",
        arguments: ["mapwatch", "a b", ") (", "x) S 9 9 (y", "", "a\nb", "((", "))"])
    func parsesNames(program: String) throws {
        let stat = try ProcessStat("4242 (\(program)) \(Self.fields)\n")
        #expect(stat.userTicks == 731)
        #expect(stat.systemTicks == 219)
        #expect(stat.threads == 6)
        #expect(stat.startTicks == 88_001)
        #expect(stat.virtualBytes == 812_646_400)
        #expect(stat.residentPages == 9_001)
    }

    @Test(
        "a text that is no stat is refused with what is wrong",
        arguments: [
            ("", "cannot read /proc/self/stat: it names no program"),
            ("4242 mapwatch S", "cannot read /proc/self/stat: it names no program"),
            ("4242 (mapwatch) S 1 2", "cannot read /proc/self/stat: field 14 is no number"),
            (
                "4242 (mapwatch) S 1 4242 4242 0 -1 4194560 1500 0 3 0 731 219 0 0 20 0",
                "cannot read /proc/self/stat: field 20 is no number"
            ),
            (
                "4242 (mapwatch) S 1 4242 4242 0 -1 4194560 1500 0 3 0 731 219 0 0 20 0 6 0 88001 812646400 -9001",
                "cannot read /proc/self/stat: field 24 is no number"
            ),
        ])
    func refusesBadTexts(text: String, message: String) {
        #expect { _ = try ProcessStat(text) } throws: { "\($0)" == message }
    }

    @Test("the boot time is the line btime, and its absence is said")
    func parsesBootTime() throws {
        #expect(try ProcessStat.bootTime("cpu 1 2\nbtime 1700000000\nprocesses 5\n") == 1_700_000_000)
        #expect { _ = try ProcessStat.bootTime("cpu 1 2\nxbtime 17\n") } throws: {
            "\($0)" == "cannot read /proc/stat: it has no btime"
        }
    }

    @Test("a file that is not there is said with its errno")
    func missingFile() {
        #expect { _ = try ProcFile.read("/proc/self/no-such-file") } throws: {
            "\($0)" == "cannot read /proc/self/no-such-file: no such file or directory (errno 2)"
        }
        #expect { _ = try ProcFile.entryCount("/proc/self/no-such-directory") } throws: {
            "\($0)" == "cannot read /proc/self/no-such-directory: no such file or directory (errno 2)"
        }
    }

    @Test("the live values are those of a process that runs now")
    func liveValues() throws {
        let families = try ProcessCollector().collect(Scrape(maps: HostSnapshot(maps: []), sizeDeltas: nil))
        let page = try CheckedExposition(TextFormat.render(families))
        func value(_ name: String) throws -> Double { try #require(page.value(name)) }
        let resident = try value("process_resident_memory_bytes")
        #expect(resident > 1_048_576)
        #expect(try value("process_virtual_memory_bytes") > resident)
        #expect(try value("process_threads") >= 1)
        let now = Double(time(nil))
        let start = try value("process_start_time_seconds")
        // The kernel's boot time is whole seconds and moves with the wall clock.
        #expect(start <= now + 2)
        #expect(start > now - 86_400)
        let open = try value("process_open_fds")
        #expect(open >= 3)
        #expect(open < (try value("process_max_fds")))
        #expect(page.family("process_cpu_seconds_total")?.type == "counter")
    }

    @Test("processor time grows with work")
    func processorTimeGrows() throws {
        func ticks() throws -> UInt64 {
            let stat = try ProcessStat(ProcFile.read("/proc/self/stat"))
            return stat.userTicks + stat.systemTicks
        }
        let before = try ticks()
        #expect(eventually { (try? ticks()).map { $0 > before } ?? false })
    }

    // In a process of its own, but even there the runtime opens and closes: compare until both looks meet.
    @Test("open descriptors are counted without the one that looks")
    func countsDescriptors() async {
        await #expect(processExitsWith: .success) {
            for _ in 0..<20 { _ = unsafe open("/dev/null", O_RDONLY) }
            let limit = Int32(clamping: try ProcFile.descriptorLimit())
            #expect(
                eventually {
                    let open = (0..<min(limit, 4_096)).count { fcntl($0, F_GETFD) >= 0 }
                    return (try? ProcFile.entryCount("/proc/self/fd")) == UInt64(open)
                })
        }
    }
}
