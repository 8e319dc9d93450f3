/// One operation of a batch; its bytes are in the batch's input and output.
@usableFromInline
struct BatchItem {
    @usableFromInline
    enum Kind {
        case load
        case store
        case delete
    }

    @usableFromInline let kind: Kind
    @usableFromInline var outcome = MapBatch.Outcome.absent
    /// 0 for as long as the map's entries live.
    @usableFromInline let seconds: UInt32
    @usableFromInline let keyStart: Int
    /// The value to store follows the key.
    @usableFromInline let keyCount: Int
    @usableFromInline let valueCount: Int
    @usableFromInline var hash = KeyHash(bits: 0)
    @usableFromInline var loadedStart = 0
    @usableFromInline var loadedCount = 0

    @inlinable
    init(_ kind: Kind, at start: Int, keyCount: Int, valueCount: Int = 0, seconds: UInt32 = 0) {
        self.kind = kind
        self.seconds = seconds
        keyStart = start
        self.keyCount = keyCount
        self.valueCount = valueCount
    }

    var ttlSeconds: Int? { seconds == 0 ? nil : Int(seconds) }
}

/// The operations of a batch, in memory that stays when they go.
///
/// Not thread safe. Not an array: an item that is made on the stack and copied costs more than what it says, and an item
/// that is changed is changed where it stands.
@safe
@usableFromInline
struct BatchItems: ~Copyable, @unchecked Sendable {
    // Safety: room for `capacity` items of this value's own, of which those below `count` are initialised; an item owns
    // nothing.
    @usableFromInline var items: UnsafeMutablePointer<BatchItem>
    @usableFromInline private(set) var count = 0
    @usableFromInline var capacity = 16

    init() { unsafe items = .allocate(capacity: capacity) }

    @inlinable deinit { unsafe items.deallocate() }

    mutating func removeAll() { count = 0 }

    @inlinable
    @inline(__always)
    mutating func append(_ item: BatchItem) {
        if _slowPath(count == capacity) { grow() }
        unsafe (items + count).initialize(to: item)
        count &+= 1
    }

    /// Where an operation is, as long as none is added.
    @inline(__always)
    func pointer(_ index: Int) -> UnsafeMutablePointer<BatchItem> {
        assert(index >= 0 && index < count, "the batch has no operation of this number")
        return unsafe items + index
    }

    @inlinable subscript(index: Int) -> BatchItem {
        @inline(__always)
        unsafeAddress {
            precondition(index >= 0 && index < count, "the batch has no operation of this number")
            return unsafe UnsafePointer(items + index)
        }
        @inline(__always)
        unsafeMutableAddress {
            precondition(index >= 0 && index < count, "the batch has no operation of this number")
            return unsafe items + index
        }
    }

    @inline(never)
    @usableFromInline
    mutating func grow() {
        let grown = UnsafeMutablePointer<BatchItem>.allocate(capacity: capacity * 2)
        unsafe grown.moveInitialize(from: items, count: count)
        unsafe items.deallocate()
        unsafe items = grown
        capacity *= 2
    }
}
