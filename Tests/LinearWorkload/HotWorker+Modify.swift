import InstrumentedMaps
import Linearizability

// What reads and writes in one step. The closures run under the shard's lock and note what they were shown.

extension HotWorker {
    mutating func insertIfAbsent(_ key: [UInt8], _ number: Int) {
        let id = newValue()
        let value = ValueCode.encode(id, count: HotWorker.calmSize)
        let invoked = history.tick()
        let isNew = map.insertIfAbsent(key, value)
        history.note(.insertIfAbsent, key: UInt16(number), found: !isNew, value: id, since: invoked)
        if isNew { answers.inserts += 1 }
    }

    /// One value in the place of another: an exchange.
    mutating func update(_ key: [UInt8], _ number: Int) {
        let id = newValue()
        let value = ValueCode.encode(id, count: HotWorker.calmSize)
        var seen = Operation.absent
        let invoked = history.tick()
        let outcome = map.update(key) { current in
            if let current { seen = ValueCode.decode(current) }
            current = value
        }
        history.note(
            .exchange, key: UInt16(number), found: outcome == .stored(.updated), value: id, seen: seen, since: invoked)
        if case .stored(let stored) = outcome { answers.noteStore(stored) }
    }

    /// An exchange for nothing where the id is even, a load where it is odd, a delete that misses where there is none.
    mutating func removeIfEven(_ key: [UInt8], _ number: Int) {
        var seen = Operation.absent
        let invoked = history.tick()
        let isRemoved = map.remove(key) { value in
            seen = ValueCode.decode(value.copied)
            return seen % 2 == 0
        }
        if isRemoved {
            history.note(.exchange, key: UInt16(number), found: true, seen: seen, since: invoked)
            answers.noteDelete(true)
        } else if seen != Operation.absent {
            history.note(.load, key: UInt16(number), found: true, value: seen, since: invoked)
        } else {
            history.note(.delete, key: UInt16(number), found: false, since: invoked)
            answers.noteDelete(false)
        }
    }

    /// A load where there is something; else the insert of what it returns.
    mutating func getOrInsert(_ key: [UInt8], _ number: Int) {
        let id = newValue()
        var isNew = false
        let invoked = history.tick()
        let value = map.getOrInsert(key) {
            isNew = true
            return ValueCode.encode(id, count: HotWorker.calmSize)
        }
        let responded = history.tick()
        history.note(
            isNew ? .insertIfAbsent : .load, key: UInt16(number), found: !isNew, value: ValueCode.decode(value),
            from: invoked, to: responded)
        answers.noteLoad(!isNew)
        if isNew { answers.inserts += 1 }
    }
}
