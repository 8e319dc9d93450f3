import Glibc
import InstrumentedMaps
import Instruments

/// Between the question and the store the answer can change.
final class CheckThenStore: ForwardingMap {
    let inner: any InstrumentedMap

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        guard key.isHot else { return inner.store(key, value) }
        let isThere = inner.load(key) != nil
        inner.store(key, value)
        return isThere ? .updated : .inserted
    }
}

/// One store in a hundred puts back what it read at first: what came between is lost.
final class LostUpdate: ForwardingMap {
    let inner: any InstrumentedMap
    private let turn = EveryNth(100)

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        guard key.isHot, turn.comes(), let old = inner.load(key) else { return inner.store(key, value) }
        let outcome = inner.store(key, value)
        inner.store(key, old.span)
        return outcome
    }
}

/// Reads, decides with nobody held off, and writes.
final class ModifyInTwoSteps: ForwardingMap {
    let inner: any InstrumentedMap

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func modify(
        _ key: Span<UInt8>, countingLoad: Bool, _ decide: (Span<UInt8>?) -> EntryChange
    ) -> ModifyOutcome {
        let value = inner.load(key)
        switch value.map({ decide($0.span) }) ?? decide(nil) {
        case .keep: return .kept
        case .store(let new): return .stored(inner.store(key, new.span))
        case .storeExpiring(let new, let seconds):
            return .stored(inner.store(key, new.span, ttlSeconds: seconds))
        case .remove: return inner.delete(key) ? .removed : .kept
        }
    }
}

/// Between the delete and the insert the key is gone.
final class ReplaceInTwoSteps: ForwardingMap {
    let inner: any InstrumentedMap

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        guard key.isHot else { return inner.store(key, value) }
        let wasThere = inner.delete(key)
        inner.store(key, value)
        return wasThere ? .updated : .inserted
    }
}

/// One store in five hundred is put aside and done with the next one.
final class LateStore: ForwardingMap {
    let inner: any InstrumentedMap
    private let turn = EveryNth(500)
    private let aside = LockedState<MapEntry?>(nil)

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        guard key.isHot else { return inner.store(key, value) }
        if turn.comes() {
            let entry = MapEntry(key: key.copied, value: value.copied)
            let earlier = aside.withLock { aside in
                defer { aside = entry }
                return aside
            }
            if let earlier { inner.store(earlier.key.span, earlier.value.span) }
            return inner.load(key) == nil ? .inserted : .updated
        }
        let outcome = inner.store(key, value)
        if let late = aside.withLock({ $0.take() }) { inner.store(late.key.span, late.value.span) }
        return outcome
    }
}

/// Now and then the wrong answer.
final class InsertAsUpdate: ForwardingMap {
    let inner: any InstrumentedMap
    private let turn = EveryNth(1_000)

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        let outcome = inner.store(key, value)
        return key.isHot && outcome == .inserted && turn.comes() ? .updated : outcome
    }
}

/// No reply shows it: only the ledger does.
final class CountedTwice: ForwardingMap {
    let inner: any InstrumentedMap
    private let counted = EveryNth(1_000)
    private let extra = Counter()

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        let outcome = inner.store(key, value)
        if outcome == .updated, counted.comes() { extra.add() }
        return outcome
    }

    func snapshot(now: UInt64) -> MapSnapshot {
        let sound = inner.snapshot(now: now)
        var shards = sound.shards
        shards[0].updates += extra.value
        return MapSnapshot(
            incarnation: sound.incarnation, name: sound.name, options: sound.options, createdAt: sound.createdAt,
            shards: shards)
    }
}
