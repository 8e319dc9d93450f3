import Glibc
import InstrumentedMaps
import TestSupport

/// Fills a map, deletes 90 % at random, maintains as the daemon does, and looks what the kernel says.
struct MemoryProof {
    /// What the daemon does a second.
    private static let movesPerSecond = 200_000
    private static let seconds = 10

    private let arguments: Arguments

    init(_ arguments: Arguments) { self.arguments = arguments }

    func run() throws -> [Finding] {
        let host = MapHost { 0 }
        let name = try MapName("memory")
        _ = try host.create(name, MapOptions())
        let map = try host.mapForWriting(name)
        var generator = SeededGenerator(seed: arguments.seed)
        let order = (0..<arguments.entries).shuffled(using: &generator)
        let value = [UInt8](repeating: 1, count: 100)
        let before = residentBytes()
        for number in order { map.store(key(number), value) }
        let full = residentBytes() - before
        for number in order.prefix(arguments.entries / 10 * 9) { map.delete(key(number)) }
        for _ in 0..<Self.seconds { host.maintain(budget: Self.movesPerSecond) }
        let left = residentBytes() - before
        let returned = 1 - Double(left) / Double(full)
        return [
            Finding(
                text:
                    "\(arguments.entries) entries: \(full >> 20) MiB resident, \(left >> 20) MiB after 90 % are deleted and "
                    + "\(Self.seconds) rounds of maintenance: \(short(returned * 100)) % came back",
                holds: returned >= 0.7)
        ]
    }

    /// Bytes of this process that are in memory.
    private func residentBytes() -> Int {
        let file = unsafe open("/proc/self/statm", O_RDONLY)
        defer { _ = close(file) }
        var text = [UInt8](repeating: 0, count: 256)
        // Safety: the call writes at most the array's bytes.
        let count = unsafe text.withUnsafeMutableBytes { unsafe read(file, $0.baseAddress, $0.count) }
        let words = text.prefix(max(0, count)).split(separator: UInt8(ascii: " "))
        return (words.count > 1 ? Int(String(decoding: words[1], as: UTF8.self)) ?? 0 : 0) * Int(getpagesize())
    }
}
