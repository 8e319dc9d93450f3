/// The labels of many series, one row each, rendered once for as long as the series live.
///
/// Families that share their labels share the table: a map's twenty families by shard print from one. The rows stand one
/// after the other in one allocation, each as it is printed:
///
///     bytes  {map_name="orders",shard_id="00"}␠{map_name="orders",shard_id="01"}␠…
///     ends                                     ^                                 ^
///
/// A value; copies share its storage.
public struct LabelTable: Sendable {
    let bytes: [UInt8]
    /// Where each row ends in ``bytes``.
    let ends: [Int]

    public init(_ rows: [LabelSet]) {
        var bytes: [UInt8] = []
        ends = rows.map { row in
            if !row.rendered.isEmpty {
                bytes.append(UInt8(ascii: "{"))
                bytes += row.rendered
                bytes.append(UInt8(ascii: "}"))
            }
            bytes.append(UInt8(ascii: " "))
            return bytes.count
        }
        self.bytes = bytes
    }

    /// Rows.
    public var count: Int { ends.count }
}

/// The numbers of one family for the rows of a ``LabelTable``, in their order.
public enum MetricColumn: Sendable, Equatable {
    case counts([UInt64])
    case signed([Int64])
    /// Printed in seconds, the base unit.
    case nanoseconds([UInt64])
    case reals([Double])

    var count: Int {
        switch self {
        case .counts(let values), .nanoseconds(let values): values.count
        case .signed(let values): values.count
        case .reals(let values): values.count
        }
    }
}
