// A batch waits for memory once and not once an operation. In windows of 16:
//
//     1  hash every key            and ask for the index word that each will be looked for at
//     2  look at the index words   and ask for the records that they refer to
//     3  do the operations         in their order, each by itself, in lines that are on their way by now
//
// The first two steps only ask: whatever happens before the third, the third looks again. The first takes no guard, and
// goes by where the index was when somebody last looked.

extension ByteMap where Guard: ~Copyable, Table: ~Copyable {
    /// Operations whose memory is on its way at the same time: about what a core can wait for at once.
    private static var window: Int { 16 }

    func perform(_ batch: inout MapBatch) {
        defer { introduceCaller() }
        var start = 0
        while start < batch.count {
            let window = start..<min(start + ByteMap.window, batch.count)
            lookAhead(of: window, in: &batch)
            for index in window {
                perform(index, of: &batch)
                if _slowPath(batch.refusesConflicts) { batch.noteConflict(of: index) }
            }
            start = window.upperBound
        }
    }

    private func lookAhead(of window: Range<Int>, in batch: inout MapBatch) {
        // To look ahead in a checked shard would take as much as the operation itself.
        let fetches = options.strategy != .checked
        for index in window {
            // Safety: the item stays where it is as long as none is added.
            let item = unsafe batch.items.pointer(index)
            let hash = unsafe hash(of: item.pointee, in: batch.input)
            unsafe item.pointee.hash = hash
            if fetches { withShard(of: hash) { $0.fetchIndex(hash) } }
        }
        guard fetches else { return }
        for index in window {
            // Safety: as above.
            let hash = unsafe batch.items.pointer(index).pointee.hash
            unsafe shards.pointer(shard(of: hash)).pointee.fetchRecord(hash)
        }
    }

    @inline(__always)
    private func hash(of item: BatchItem, in input: borrowing ByteBuffer) -> KeyHash {
        // Safety: as below.
        hash(unsafe Span(_unsafeStart: input.start + item.keyStart, count: item.keyCount))
    }

    @inline(__always)
    private func perform(_ index: Int, of batch: inout MapBatch) {
        // Safety: the item stays where it is as long as none is added.
        let item = unsafe batch.items.pointer(index)
        let start = batch.output.count
        unsafe item.pointee.outcome = perform(item, batch.input, loadingInto: &batch.output)
        unsafe item.pointee.loadedStart = start
        unsafe item.pointee.loadedCount = batch.output.count &- start
    }

    @inline(__always)
    private func perform(
        _ item: UnsafePointer<BatchItem>, _ input: borrowing ByteBuffer, loadingInto output: inout ByteBuffer
    ) -> MapBatch.Outcome {
        // Safety: the batch has noted where its own bytes are.
        let key = unsafe Span(_unsafeStart: input.start + item.pointee.keyStart, count: item.pointee.keyCount)
        let hash = unsafe item.pointee.hash
        let isShort = goesStraight && ShortKey.fits(key.count)
        switch unsafe item.pointee.kind {
        case .load:
            guard _fastPath(isShort), gate.isClear(for: .load) else {
                return loadTheLongWay(key, hash, &output, isShort)
            }
            return loadStraight(key, ShortKey(key), hash, appendingTo: &output) ? .found : .absent
        case .store:
            let value = unsafe Span(
                _unsafeStart: input.start + (item.pointee.keyStart &+ key.count), count: item.pointee.valueCount)
            let isPlain = unsafe isShort && item.pointee.seconds == 0
            guard _fastPath(isPlain), gate.isClear(for: .update) else {
                return unsafe storeTheLongWay(key, hash, value, item.pointee.ttlSeconds, isPlain)
            }
            return .stored(storeStraight(key, ShortKey(key), hash, value))
        case .delete:
            if options.deletionGuard == .deny { return deleteIfAdmitted(key) }
            guard _fastPath(isShort), gate.isClear(for: .delete) else { return deleteTheLongWay(key, hash, isShort) }
            return deleteStraight(key, ShortKey(key), hash) ? .deleted : .absent
        }
    }

    // MARK: - Loads

    @inline(__always)
    private func load(
        _ key: Span<UInt8>, _ hash: KeyHash, _ output: inout ByteBuffer, _ watch: OperationWatch?
    ) -> MapBatch.Outcome {
        watch?.aims(at: shard(of: hash), key)
        return withShard(of: hash) { $0.load(key, hash, appendingTo: &output, watch) } ? .found : .absent
    }

    /// For what does not go straight in its shard; `isAsked` says that the gate has been asked, and was not clear.
    @inline(never)
    private func loadTheLongWay(
        _ key: Span<UInt8>, _ hash: KeyHash, _ output: inout ByteBuffer, _ isAsked: Bool
    ) -> MapBatch.Outcome {
        if !isAsked, gate.isClear(for: .load) { return load(key, hash, &output, nil) }
        return gate.pass(gate.detourNow(of: .load), .load, as: { _ in .load }, at: shard(of: hash)) {
            load(key, hash, &output, nil)
        } watched: {
            load(key, hash, &output, $0)
        }
    }

    // MARK: - Stores

    @inline(__always)
    private func store(
        _ key: Span<UInt8>, _ hash: KeyHash, _ value: Span<UInt8>, _ seconds: Int?, _ watch: OperationWatch?,
        isRecorded: Bool = false
    ) -> MapBatch.Outcome {
        let shard = shard(of: hash)
        watch?.aims(at: shard, key)
        let place = isRecorded ? recordPlace(in: shard) : nil
        return .stored(withShard(of: hash) { $0.store(key, hash, value: value, for: seconds, watch, place) })
    }

    /// As ``loadTheLongWay(_:_:_:_:)``.
    @inline(never)
    private func storeTheLongWay(
        _ key: Span<UInt8>, _ hash: KeyHash, _ value: Span<UInt8>, _ seconds: Int?, _ isAsked: Bool
    ) -> MapBatch.Outcome {
        if !isAsked, gate.isClear(for: .update, isRecorded: Records.isOn) {
            return store(key, hash, value, seconds, nil, isRecorded: Records.isOn)
        }
        let detour = gate.detourNow(of: .update, isRecorded: Records.isOn)
        return gate.pass(detour, .update, as: { _ in .store }, at: shard(of: hash)) {
            store(key, hash, value, seconds, nil)
        } watched: {
            store(key, hash, value, seconds, $0)
        }
    }

    // MARK: - Deletes

    @inline(__always)
    private func delete(
        _ key: Span<UInt8>, _ hash: KeyHash, _ watch: OperationWatch?, isRecorded: Bool = false
    ) -> MapBatch.Outcome {
        let shard = shard(of: hash)
        watch?.aims(at: shard, key)
        let place = isRecorded ? recordPlace(in: shard) : nil
        return withShard(of: hash) { $0.delete(key, hash, watch, place) } ? .deleted : .absent
    }

    /// As ``loadTheLongWay(_:_:_:_:)``.
    @inline(never)
    private func deleteTheLongWay(_ key: Span<UInt8>, _ hash: KeyHash, _ isAsked: Bool) -> MapBatch.Outcome {
        if !isAsked, gate.isClear(for: .delete, isRecorded: Records.isOn) {
            return delete(key, hash, nil, isRecorded: Records.isOn)
        }
        let detour = gate.detourNow(of: .delete, isRecorded: Records.isOn)
        return gate.pass(detour, .delete, as: { _ in .delete }, at: shard(of: hash)) {
            delete(key, hash, nil)
        } watched: {
            delete(key, hash, $0)
        }
    }

    /// On a map of which the guard may refuse deletes.
    @inline(never)
    private func deleteIfAdmitted(_ key: Span<UInt8>) -> MapBatch.Outcome {
        switch modify(key, countingLoad: false, { _ in .remove }) {
        case .removed: .deleted
        case .removalRefused: .removalRefused
        case .kept, .stored: .absent
        }
    }
}
