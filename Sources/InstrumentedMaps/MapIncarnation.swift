import Synchronization

/// Numbers the lives of maps: no two maps of a process have the same, whoever made them.
enum MapIncarnation {
    private static let last = Atomic<UInt64>(0)

    static func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
