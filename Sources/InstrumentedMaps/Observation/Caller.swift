import CSystem
import Instruments

// Who does an operation, where somebody asks: a name that the caller gives, as a small number.
//
//     withCaller(.named("checkout")) { orders.store(…) }     Swift
//     X-Mapwatch-Caller: checkout                            data API
//
// The number travels in a thread-local word, so that an operation carries it at no cost to those who never ask.

/// A name under which operations are done; ``none`` without one.
///
/// Names are kept for the life of the process, so their number has a bound: what comes after ``maximumNames`` is called
/// `other`.
public struct Caller: Hashable, Sendable {
    /// The number of the name in this process; 0 is nobody.
    public let id: UInt32

    /// Longer names are cut, at a whole character unless there is but one.
    public static let maximumNameBytes = 64
    public static let maximumNames = 4096

    /// Nobody has said a name: the operation is known by its thread alone.
    public static let none = Caller(id: 0)

    private static let names = LockedState(Names())

    private struct Names: Sendable {
        /// The name of each id; 0 has none.
        var byID = ["", "other"]
        var ids: [String: UInt32] = ["": 0, "other": 1]
    }

    /// The caller of a number that was one's before.
    init(id: UInt32) { self.id = id }

    /// The caller of this name, which is remembered; ``none`` for an empty one. Any thread. Cost: one lookup under a lock.
    public static func named(_ name: String) -> Caller {
        let name = cut(name)
        let id = names.withLock { names -> UInt32 in
            if let known = names.ids[name] { return known }
            guard names.byID.count < maximumNames else { return 1 }
            let id = UInt32(names.byID.count)
            names.byID.append(name)
            names.ids[name] = id
            return id
        }
        return Caller(id: id)
    }

    private static func cut(_ name: String) -> String {
        guard name.utf8.count > maximumNameBytes else { return name }
        var kept = String.UnicodeScalarView()
        var bytes = 0
        for scalar in name.unicodeScalars {
            bytes += UTF8.width(scalar)
            if bytes > maximumNameBytes {
                let cut = String(kept)
                kept.append(scalar)
                // Where the next scalar is part of the last character, that one is not whole.
                return String(kept).count > cut.count || cut.count == 1 ? cut : String(cut.dropLast())
            }
            kept.append(scalar)
        }
        return name
    }

    /// The caller that a record of this process names; ``none`` for a number that stands for no name.
    public static func numbered(_ id: UInt32) -> Caller {
        Caller(id: names.withLock { Int(id) < $0.byID.count } ? id : 0)
    }

    /// The name; nil for nobody.
    public var name: String? { id == 0 ? nil : Caller.names.withLock { $0.byID[Int(id)] } }

    /// The kernel's number of this thread, by which events and conflicts know it.
    public static var currentThread: UInt32 { mapwatch_thread_id() }

    /// The caller of what this thread does now.
    public static var current: Caller { Caller(id: mapwatch_current_caller()) }
}

/// Does `body`, whose operations on this thread are those of `caller`.
public func withCaller<R, Failure: Error>(
    _ caller: Caller, _ body: () throws(Failure) -> R
) throws(Failure) -> R {
    let outer = mapwatch_current_caller()
    mapwatch_set_caller(caller.id)
    defer { mapwatch_set_caller(outer) }
    return try body()
}
