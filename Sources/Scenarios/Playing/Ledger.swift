import Instruments

/// What a map must hold, written down by those who changed it, and what reads made of that.
///
/// Concurrency: any thread. In one turn no two lanes touch one key, so what it says of a key holds for the reader.
final class Ledger: Sendable {
    private struct State: Sendable {
        var versions: [Key: Int] = [:]
        var lost = 0
        var stale = 0
    }

    private let state = LockedState(State())

    func wrote(_ key: Key, version: Int) { state.withLock { $0.versions[key] = version } }

    func removed(_ key: Key) { state.withLock { $0.versions[key] = nil } }

    /// Notes what a reader was given.
    func check(_ key: Key, _ value: [UInt8]?) {
        let version = value.flatMap(Value.version)
        state.withLock { state in
            switch (state.versions[key], version) {
            case (nil, nil): break
            case (_?, nil): state.lost += 1
            case (nil, _?): state.stale += 1
            case (let wanted?, let found?): if found < wanted { state.stale += 1 }
            }
        }
    }

    /// Notes what is left at the end: an acknowledged write that is not there is lost, an entry that should be gone stale.
    func audit(_ contents: [[UInt8]: [UInt8]]) {
        state.withLock { state in
            var found = 0
            for (key, version) in state.versions {
                guard let value = contents[key.bytes] else {
                    state.lost += 1
                    continue
                }
                found += 1
                if Value.version(value) != version { state.lost += 1 }
            }
            state.stale += contents.count - found
        }
    }

    var lost: Int { state.withLock { $0.lost } }
    var stale: Int { state.withLock { $0.stale } }
}
