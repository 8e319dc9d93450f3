import FlightRecorder
import Glibc
import InstrumentedMaps
import Instruments

/// A flight recorder in a directory of its own, for the maps of one run.
final class Recording: Sendable {
    let recorder: FlightRecorder
    private let directory: String

    init() throws {
        directory = "/tmp/mapwatch-race-probe-\(getpid())"
        let opening = RecorderOpening(
            directory: directory, bytes: 1 << 20, clocks: RecorderClocks(secondsSince1970: { 0 }))
        guard let recorder = opening.recorder else {
            throw UsageError(text: opening.problems.map(\.description).joined(separator: ", "))
        }
        self.recorder = recorder
    }

    deinit {
        unsafe unlink(directory + "/recorder")
        unsafe rmdir(directory)
    }

    /// Records every operation of the maps that a host makes.
    var factory: MapHost.ObserverFactory {
        { name, options, incarnation in
            let rings = try? self.recorder.lend(map: name.text, incarnation: incarnation, shards: options.shards)
            return rings.map { Observer($0) }
        }
    }

    private final class Observer: OperationObserver {
        let interest: ObserverInterest = .reads
        let rings: RingWriter?
        /// Whose rings they are, as long as they are written.
        private let mapRings: MapRings

        init(_ mapRings: MapRings) {
            self.mapRings = mapRings
            rings = mapRings.writer
        }
    }
}
