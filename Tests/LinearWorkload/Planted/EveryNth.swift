import Instruments
import Synchronization

/// Says yes once in so many times, to whichever thread asks then.
struct EveryNth: ~Copyable, Sendable {
    private let asked = Atomic<Int>(0)
    private let period: Int

    init(_ period: Int) { self.period = period }

    func comes() -> Bool { asked.add(1, ordering: .relaxed).newValue % period == 0 }
}
