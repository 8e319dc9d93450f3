import InstrumentedMaps
import Scenarios

// What the accidents do not bring about, so that its alert is seen once a rotation too:
//
//     second 200…290   an iterator on `sessions` that nobody moves         MapIteratorStuck
//     second 440       writes to a map that nobody has declared            MapwatchUndeclaredWrites
//     second 560…570   `thumbnails` is filled beyond its max_bytes         MapStoresRefused
//
// Nothing here can bring about a stalled shard (a perturbation does, with --enable-chaos), contention on cores that the
// machine may not have, growth over six hours, or a daemon that is down, restarted, short of memory or ill configured.

/// Small mishaps beside the accidents of a demo. One caller at a time.
struct DemoSideShow {
    private static let thumbnails = "thumbnails"
    private let host: MapHost
    private var iterator: (any MapIterator)?

    init(host: MapHost) { self.host = host }

    /// The maps that it takes.
    static func maps() throws -> [(name: MapName, options: MapOptions)] {
        [(try MapName(thumbnails), try MapOptions(shards: 4, maximumBytes: 1 << 20))]
    }

    /// To be called each second of a demo.
    mutating func play(second: Int) {
        switch second % DemoRotation.length {
        case 200: iterator = sessions().flatMap { try? $0.iterate(.live, prefix: [], maximumBytes: .max) }
        case 290: iterator = nil
        case 440: if let nobody = try? MapName("nobody") { _ = try? host.mapForWriting(nobody) }
        case 560..<570: fill(second)
        case 600: _ = map(DemoSideShow.thumbnails)?.deleteMatching(prefix: [])
        default: break
        }
    }

    private func fill(_ second: Int) {
        guard let map = map(DemoSideShow.thumbnails) else { return }
        let picture = [UInt8](repeating: 0x78, count: 4096)
        for number in 0..<60 { map.store(Array("picture:\(second):\(number)".utf8), picture) }
    }

    private func sessions() -> (any InstrumentedMap)? { map("sessions") }

    private func map(_ name: String) -> (any InstrumentedMap)? { (try? MapName(name)).flatMap { host.map($0) } }
}
