/// A value that is only reached with its lock held.
///
/// For state that is shared but not hot. What `body` returns must be a value: a reference would leave the lock behind
/// (swiftlang/swift#81274).
///
/// A class, because the `deinit` of a generic noncopyable struct cannot be relied on (Swift 6.3.1, release builds).
///
/// Concurrency: any thread; not recursive. Cost: one ``ShardLock``.
@safe
public final class LockedState<Value: Sendable>: @unchecked Sendable {
    @usableFromInline let lock = ShardLock()
    // Safety: the pointee is initialised for the life of `self` and only touched inside `lock`.
    @usableFromInline let value: UnsafeMutablePointer<Value>

    public init(_ initial: Value) {
        let value = UnsafeMutablePointer<Value>.allocate(capacity: 1)
        unsafe value.initialize(to: initial)
        unsafe self.value = value
    }

    deinit {
        unsafe value.deinitialize(count: 1)
        unsafe value.deallocate()
    }

    /// Runs `body` with the value, alone. Compiled into the caller, which knows the types.
    @inlinable
    public func withLock<R, Failure: Error>(_ body: (inout Value) throws(Failure) -> R) throws(Failure) -> R {
        try lock.withLock { () throws(Failure) -> R in unsafe try body(&value.pointee) }
    }
}
