import InstrumentedMaps
import Instruments

/// Disturbs one map's operations inside their critical section, and hands all else on to whoever hears of them anyhow.
final class PerturbingObserver: OperationObserver {
    let interest: ObserverInterest
    private let perturber: MapPerturber
    private let inner: (any OperationObserver)?
    private let innerHearsReads: Bool

    init(_ perturber: MapPerturber, around inner: (any OperationObserver)?) {
        self.perturber = perturber
        self.inner = inner
        let asked = inner?.interest ?? []
        interest = asked.union([.reads, .criticalSections])
        innerHearsReads = asked.contains(.reads)
    }

    func didOperate(_ event: OperationEvent) {
        if innerHearsReads || event.operation != .load { inner?.didOperate(event) }
    }

    var rings: RingWriter? { inner?.rings }

    func didMeet(_ caller: Caller) { inner?.didMeet(caller) }

    func didConflict(_ conflict: MapConflict) { inner?.didConflict(conflict) }

    func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {
        // Maintenance is no caller, and would have to wait for none.
        if operation != .sweep { perturber.disturb(shard: shard) }
        inner?.insideCriticalSection(shard, operation)
    }
}
