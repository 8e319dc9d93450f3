// A batch waits for memory once and not once an operation. In windows of 16:
//
//     1  hash every key            and ask for the index word that each will be looked for at
//     2  look at the index words   and ask for the records that they refer to
//     3  do the operations         in their order, each by itself, in lines that are on their way by now
//
// The first two steps only ask: whatever happens before the third, the third looks again.

extension ByteMap where Guard: ~Copyable, Table: ~Copyable {
    /// Operations whose memory is on its way at the same time: about what a core can wait for at once.
    private static var window: Int { 16 }

    func perform(_ batch: inout MapBatch) {
        // To look ahead in a checked shard would take as much as the operation itself.
        let fetches = options.strategy != .checked
        var start = 0
        while start < batch.count {
            let end = min(start + ByteMap.window, batch.count)
            for index in start..<end {
                let hash = batch.withOperands(of: index) { key, _ in self.hash(key) }
                batch.items[index].hash = hash
                if fetches { withShard(of: hash) { $0.fetchIndex(hash) } }
            }
            for index in start..<end where fetches {
                let hash = batch.items[index].hash
                withShard(of: hash) { $0.fetchRecord(hash) }
            }
            for index in start..<end {
                perform(index, of: &batch)
                if batch.refusesConflicts { batch.noteConflict(of: index) }
            }
            start = end
        }
    }

    @inline(__always)
    private func perform(_ index: Int, of batch: inout MapBatch) {
        let item = batch.items[index]
        switch item.kind {
        case .load:
            // The values are in the batch's own array, which is taken out for as long as the key is lent.
            var output = batch.output
            batch.output = []
            let start = output.count
            let isFound = batch.withOperands(of: index) { key, _ in
                gate.pass(.load, at: shard(of: item.hash)) {
                    withShard(of: item.hash) { $0.load(key, item.hash, appendingTo: &output, nil) }
                } watched: { watch in
                    watch.aims(at: shard(of: item.hash), key)
                    return withShard(of: item.hash) { $0.load(key, item.hash, appendingTo: &output, watch) }
                }
            }
            batch.items[index].loaded = start..<output.count
            batch.output = output
            batch.items[index].outcome = isFound ? .found : .absent
        case .store:
            let outcome = batch.withOperands(of: index) { key, value in
                gate.pass(.store, at: shard(of: item.hash)) {
                    withShard(of: item.hash) { $0.store(key, item.hash, value: value, for: item.ttlSeconds, nil) }
                } watched: { watch in
                    watch.aims(at: shard(of: item.hash), key)
                    return withShard(of: item.hash) {
                        $0.store(key, item.hash, value: value, for: item.ttlSeconds, watch)
                    }
                }
            }
            batch.items[index].outcome = .stored(outcome)
        case .delete where options.deletionGuard == .deny:
            let outcome = batch.withOperands(of: index) { key, _ in
                modify(key, countingLoad: false) { _ in .remove }
            }
            batch.items[index].outcome =
                switch outcome {
                case .removed: .deleted
                case .removalRefused: .removalRefused
                case .kept, .stored: .absent
                }
        case .delete:
            let isDeleted = batch.withOperands(of: index) { key, _ in
                gate.pass(.delete, at: shard(of: item.hash)) {
                    withShard(of: item.hash) { $0.delete(key, item.hash, nil) }
                } watched: { watch in
                    watch.aims(at: shard(of: item.hash), key)
                    return withShard(of: item.hash) { $0.delete(key, item.hash, watch) }
                }
            }
            batch.items[index].outcome = isDeleted ? .deleted : .absent
        }
    }
}
