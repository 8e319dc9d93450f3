import InstrumentedMaps
import Instruments

/// Between the question and the delete somebody else can be faster: then both report success.
final class CheckThenDelete: ForwardingMap {
    let inner: any InstrumentedMap

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func delete(_ key: Span<UInt8>) -> Bool {
        guard key.isHot else { return inner.delete(key) }
        let isThere = inner.load(key) != nil
        _ = inner.delete(key)
        return isThere
    }
}

/// Success although there was nothing to delete.
final class DeleteTwice: ForwardingMap {
    let inner: any InstrumentedMap
    private let turn = EveryNth(1_000)

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    func delete(_ key: Span<UInt8>) -> Bool {
        let hit = inner.delete(key)
        return hit || key.isHot && turn.comes()
    }
}

/// Remembers what was stored, and forgets to forget one delete in a hundred.
final class StaleCache: ForwardingMap {
    let inner: any InstrumentedMap
    private let turn = EveryNth(100)
    private let cache = LockedState<[[UInt8]: [UInt8]]>([:])

    init(_ inner: any InstrumentedMap) { self.inner = inner }

    // The cache's lock covers the map's operation as well, so that nothing but the missed delete is wrong.

    func load(_ key: Span<UInt8>) -> [UInt8]? {
        let bytes = key.copied
        return cache.withLock { cache in
            let value = inner.load(bytes)
            return cache[bytes] ?? value
        }
    }

    func store(_ key: Span<UInt8>, _ value: Span<UInt8>) -> StoreOutcome {
        let entry = MapEntry(key: key.copied, value: value.copied)
        return cache.withLock { cache in
            cache[entry.key] = entry.value
            return inner.store(entry.key, entry.value)
        }
    }

    func delete(_ key: Span<UInt8>) -> Bool {
        let bytes = key.copied
        let isForgotten = !(key.isHot && turn.comes())
        return cache.withLock { cache in
            if isForgotten { cache[bytes] = nil }
            return inner.delete(bytes)
        }
    }

    func modify(
        _ key: Span<UInt8>, countingLoad: Bool, _ decide: (Span<UInt8>?) -> EntryChange
    ) -> ModifyOutcome {
        let bytes = key.copied
        return cache.withLock { cache in
            cache[bytes] = nil
            return inner.modify(bytes.span, countingLoad: countingLoad, decide)
        }
    }

    func deleteMatching(_ isIncluded: (Span<UInt8>) -> Bool) -> Int {
        cache.withLock { cache in
            cache = cache.filter { !isIncluded($0.key.span) }
            return inner.deleteMatching(isIncluded)
        }
    }
}

/// Iterations whose pages are wrong now and then.
final class WrongPages: ForwardingMap {
    enum Fault: Sendable {
        case missing
        case repeated
    }

    let inner: any InstrumentedMap
    private let fault: Fault
    private let turn = EveryNth(50)

    init(_ inner: any InstrumentedMap, _ fault: Fault) {
        self.inner = inner
        self.fault = fault
    }

    func iterate(
        _ kind: IterationKind, prefix: [UInt8], maximumBytes: Int
    ) throws(IterationError) -> any MapIterator {
        let sound = try inner.iterate(kind, prefix: prefix, maximumBytes: maximumBytes)
        return turn.comes() ? WrongIterator(sound, fault) : sound
    }

    private final class WrongIterator: MapIterator {
        private let sound: any MapIterator
        private let fault: Fault

        init(_ sound: any MapIterator, _ fault: Fault) {
            self.sound = sound
            self.fault = fault
        }

        func next(limit: Int, maximumBytes: Int) -> [MapEntry] {
            let page = sound.next(limit: limit, maximumBytes: maximumBytes)
            return fault == .missing ? Array(page.dropLast()) : page + page.suffix(1)
        }

        var heldBytes: Int { sound.heldBytes }

        var isAtEnd: Bool { sound.isAtEnd }
    }
}
