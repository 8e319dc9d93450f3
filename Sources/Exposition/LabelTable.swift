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

    /// The labels of each row in order, as names and values.
    package var rows: [[(name: String, value: String)]] {
        var start = 0
        return ends.map { end in
            defer { start = end }
            // Without the braces and the space, which an empty row has alone.
            return end - start > 1 ? bytes[start + 1..<end - 2].labelPairs : []
        }
    }

    /// Whether both have the same rows. Cost: constant for copies of one table.
    package func isSame(as other: LabelTable) -> Bool { bytes == other.bytes }
}

/// The numbers of one family for the rows of a ``LabelTable``, in their order.
public enum MetricColumn: Sendable, Equatable {
    case counts([UInt64])
    case signed([Int64])
    /// Printed in seconds, the base unit.
    case nanoseconds([UInt64])
    case reals([Double])

    /// The number of a row.
    package subscript(row: Int) -> MetricValue {
        switch self {
        case .counts(let values): .count(values[row])
        case .signed(let values): .signed(values[row])
        case .nanoseconds(let values): .nanoseconds(values[row])
        case .reals(let values): .real(values[row])
        }
    }

    var count: Int {
        switch self {
        case .counts(let values), .nanoseconds(let values): values.count
        case .signed(let values): values.count
        case .reals(let values): values.count
        }
    }
}
