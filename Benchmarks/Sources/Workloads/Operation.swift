import Synchronization

/// What an operation does to its key.
public enum OperationKind: UInt32, Sendable {
    case get
    case set
    case delete
}

/// One operation with its key beside it, 16 bytes: a thread that plays a list reads memory in order, so that the cache
/// misses of a run are those of the map and not those of the load.
public struct Operation: Sendable {
    @inlinable public static var keyLength: Int { 12 }

    // Together the 12 bytes of the key, at offset 0.
    let keyStart: UInt64
    let keyEnd: UInt32
    @usableFromInline let rawKind: UInt32

    init(_ kind: OperationKind, keyNumber: Int) {
        // "k" and eleven digits.
        var bytes = [UInt8](repeating: UInt8(ascii: "0"), count: Operation.keyLength)
        bytes[0] = UInt8(ascii: "k")
        var rest = keyNumber
        var index = Operation.keyLength - 1
        while rest > 0 {
            bytes[index] += UInt8(rest % 10)
            rest /= 10
            index -= 1
        }
        (keyStart, keyEnd) = bytes.withUnsafeBytes {
            ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt32.self))
        }
        rawKind = kind.rawValue
    }

    private init(_ kind: OperationKind, keyOf other: Operation) {
        (keyStart, keyEnd, rawKind) = (other.keyStart, other.keyEnd, kind.rawValue)
    }

    /// The same key, another kind.
    func with(_ kind: OperationKind) -> Operation { Operation(kind, keyOf: self) }

    /// Unknown bits cannot occur: only `OperationKind` writes them.
    @inlinable public var kind: OperationKind { OperationKind(rawValue: rawKind) ?? .get }
}

/// A fixed list of operations, made ahead of time and shared by every subject that plays it.
public final class OperationList: Sendable {
    // Safety: written in `init` alone, read-only for the list's life.
    nonisolated(unsafe) public let operations: UnsafeBufferPointer<Operation>

    public init(_ list: some Collection<Operation>) {
        let memory = UnsafeMutableBufferPointer<Operation>.allocate(capacity: list.count)
        _ = memory.initialize(fromContentsOf: list)
        operations = UnsafeBufferPointer(memory)
    }

    deinit {
        operations.deallocate()
        texts.withLock { $0?.deallocate() }
    }

    /// The key of each operation as a text, made when it is first asked for: 12 bytes of ASCII, which Swift keeps inline.
    public var textKeys: TextKeys {
        texts.withLock { texts in
            if let texts { return texts }
            let made = TextKeys((0..<count).map { String(decoding: OperationList.key(operations, $0), as: UTF8.self) })
            texts = made
            return made
        }
    }

    private let texts = Mutex<TextKeys?>(nil)

    /// Does each operation in its order; a set sets a value of ``Workload/valueLength`` bytes.
    @inlinable
    @inline(__always)
    public func play(
        get: (Span<UInt8>) -> Void, set: (Span<UInt8>, Span<UInt8>) -> Void, delete: (Span<UInt8>) -> Void
    ) {
        let value = [UInt8](repeating: 0x76, count: Workload.valueLength)
        for index in operations.indices {
            let key = OperationList.key(operations, index).span
            switch operations[index].kind {
            case .get: get(key)
            case .set: set(key, value.span)
            case .delete: delete(key)
            }
        }
    }

    public var count: Int { operations.count }

    /// The bytes of the key of the operation at `index`, valid as long as the list.
    @inlinable
    public static func key(
        _ operations: UnsafeBufferPointer<Operation>, _ index: Int
    ) -> UnsafeBufferPointer<UInt8> {
        let start = UnsafeRawPointer(operations.baseAddress.unsafelyUnwrapped + index)
        return UnsafeBufferPointer(start: start.assumingMemoryBound(to: UInt8.self), count: Operation.keyLength)
    }
}

/// Texts that many threads read, without an array's checks. Valid as long as the list that made them.
public struct TextKeys: Sendable {
    // Safety: written in `init` alone, read-only until the list goes.
    @usableFromInline nonisolated(unsafe) let texts: UnsafeMutableBufferPointer<String>

    init(_ list: [String]) {
        texts = .allocate(capacity: list.count)
        _ = texts.initialize(fromContentsOf: list)
    }

    fileprivate func deallocate() {
        texts.deinitialize()
        texts.deallocate()
    }

    @inlinable public subscript(index: Int) -> String { texts[index] }
}
