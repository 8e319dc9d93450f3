import InstrumentedMaps

/// Disturbs one map's operations inside their critical section, and hands all else on to whoever hears of them anyhow.
final class PerturbingObserver: OperationObserver {
    private let perturber: MapPerturber
    private let inner: (any OperationObserver)?

    init(_ perturber: MapPerturber, around inner: (any OperationObserver)?) {
        self.perturber = perturber
        self.inner = inner
    }

    func didOperate(_ event: OperationEvent) { inner?.didOperate(event) }

    func didConflict(_ conflict: MapConflict) { inner?.didConflict(conflict) }

    func insideCriticalSection(_ shard: Int, _ operation: ObservedOperation) {
        // Maintenance is no caller, and would have to wait for none.
        if operation != .sweep { perturber.disturb(shard: shard) }
        inner?.insideCriticalSection(shard, operation)
    }
}
