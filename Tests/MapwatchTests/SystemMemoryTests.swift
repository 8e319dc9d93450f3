import Testing

@testable import mapwatch

@Suite("Memory of the system")
struct SystemMemoryTests {
    @Test("a process' cgroups are its own and all above it")
    func cgroups() {
        #expect(SystemMemory.cgroups("0::/\n") == [""])
        #expect(
            SystemMemory.cgroups("1:cpu:/x\n0::/system.slice/mapwatch.service\n")
                == ["", "/system.slice", "/system.slice/mapwatch.service"])
        #expect(SystemMemory.cgroups("1:cpu:/x\n").isEmpty)
        #expect(SystemMemory.cgroups("").isEmpty)
    }

    @Test("a cgroup's limit is its number, and max is none")
    func limits() {
        #expect(SystemMemory.limit("536870912\n") == 536_870_912)
        #expect(SystemMemory.limit("max\n") == nil)
        #expect(SystemMemory.limit("") == nil)
    }

    @Test("this machine has memory")
    func available() {
        #expect(SystemMemory.available() > 64 << 20)
    }
}
