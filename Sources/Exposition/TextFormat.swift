// The text formats, which differ in little but their heads:
//
//     0.0.4 and 1.0.0                                 OpenMetrics
//     # HELP map_op_total Completed writes.           # HELP map_op Completed writes.
//     # TYPE map_op_total counter                     # TYPE map_op counter
//     map_op_total{map_name="orders"} 17              map_op_total{map_name="orders"} 17
//                                                     # EOF
//
// All our names are plain ASCII, so 1.0.0 and its ways of escaping names change no byte of a body. Families come out
// sorted by name and series in their collector's order, so that two scrapes of the same state are the same bytes.
//
// Bounds: the text is measured first, generously (26 bytes a number), then written in one go into one allocation.

/// Renders families as text.
public enum TextFormat {
    /// What the heads look like.
    public enum Dialect: Sendable {
        /// Text format 0.0.4 and 1.0.0.
        case prometheus
        /// OpenMetrics 0.0.1 and 1.0.0.
        case openMetrics
    }

    /// The body for `families`, each with its HELP and TYPE, sorted by name; a family without series is left out.
    /// Cost: linear in the bytes; one allocation.
    public static func render(_ families: [MetricFamily], as dialect: Dialect = .prometheus) -> [UInt8] {
        let families = families.filter { !$0.series.isEmpty }.sorted { $0.name < $1.name }
        let heads = families.map { head($0, dialect) }
        let capacity = zip(families, heads).reduce(ending.utf8CodeUnitCount) { $0 + $1.0.textCapacity + $1.1.count }
        return ByteWriter.bytes(capacity: capacity) { writer in
            for (family, head) in zip(families, heads) {
                writer.append(head)
                writer.append(family, dialect)
            }
            if dialect == .openMetrics { writer.append(ending) }
        }
    }

    static let ending: StaticString = "# EOF\n"

    /// HELP, TYPE and, in OpenMetrics, UNIT where the name ends in a base unit.
    static func head(_ family: MetricFamily, _ dialect: Dialect) -> [UInt8] {
        let name = dialect == .openMetrics ? family.openMetricsName : family.name.text
        var head = Array("# HELP \(name) ".utf8)
        head.appendEscaped(family.help, quotes: dialect == .openMetrics)
        head += "\n# TYPE \(name) \(family.type.rawValue)\n".utf8
        if dialect == .openMetrics, let unit = ["seconds", "bytes", "ratio"].first(where: { name.hasSuffix("_\($0)") })
        {
            head += "# UNIT \(name) \(unit)\n".utf8
        }
        return head
    }
}

extension MetricFamily {
    /// OpenMetrics names a counter without its `_total`, which only its lines have.
    package var openMetricsName: String {
        type == .counter && name.text.hasSuffix("_total") ? String(name.text.dropLast(6)) : name.text
    }

    /// More bytes than the lines will take.
    fileprivate var textCapacity: Int {
        // A name, "_bucket", braces and a comma, a space, a number of at most 24 characters, a line feed.
        let line = name.text.utf8.count + 38
        return series.reduce(0) { bytes, series in
            switch series {
            case .sample(let labels, _): bytes + line + labels.rendered.count
            case .column(let labels, _): bytes + line * labels.count + labels.bytes.count
            case .histogram(let labels, let value):
                value.bounds.labels.reduce(bytes + (value.counts.count + 2) * (line + labels.rendered.count)) {
                    $0 + $1.count
                } + value.exemplars.reduce(0) { $0 + ($1.map { $0.labels.rendered.count + 56 } ?? 0) }
            }
        }
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ family: MetricFamily, _ dialect: TextFormat.Dialect) {
        let name = Array(family.name.text.utf8)
        for series in family.series {
            switch series {
            case .sample(let labels, let value): appendLine(name, "", labels.rendered, value)
            case .column(let labels, let values): append(name, labels, values)
            case .histogram(let labels, let value):
                append(name, labels.rendered, value, withExemplars: dialect == .openMetrics)
            }
        }
    }

    private mutating func append(_ name: [UInt8], _ labels: LabelTable, _ column: MetricColumn) {
        switch column {
        case .counts(let values): append(name, labels, values) { $0.append(decimal: $1) }
        case .signed(let values): append(name, labels, values) { $0.append(signed: $1) }
        case .nanoseconds(let values): append(name, labels, values) { $0.append(seconds: $1) }
        case .reals(let values): append(name, labels, values) { $0.append(real: $1) }
        }
    }

    /// The lines of one column: where the time of a scrape goes.
    @inline(__always)
    private mutating func append<Value>(
        _ name: [UInt8], _ labels: LabelTable, _ values: [Value], _ print: (inout ByteWriter, Value) -> Void
    ) {
        let (name, rows) = (name.span, labels.bytes.span)
        var start = 0
        for index in 0..<values.count {
            let end = labels.ends[index]
            append(name)
            append(rows.extracting(start..<end))
            print(&self, values[index])
            append(UInt8(ascii: "\n"))
            start = end
        }
    }

    /// Cumulative buckets with `le` behind the other labels, then the sum and the count.
    private mutating func append(
        _ name: [UInt8], _ labels: [UInt8], _ value: HistogramValue, withExemplars: Bool
    ) {
        var count: UInt64 = 0
        for (bucket, le) in value.bounds.labels.enumerated() {
            count &+= value.counts[bucket]
            append(name)
            append("_bucket{")
            if !labels.isEmpty {
                append(labels)
                append(UInt8(ascii: ","))
            }
            append(le)
            append("} ")
            append(decimal: count)
            if withExemplars, !value.exemplars.isEmpty, let exemplar = value.exemplars[bucket] { append(exemplar) }
            append(UInt8(ascii: "\n"))
        }
        appendLine(name, "_sum", labels, value.sum)
        appendLine(name, "_count", labels, .count(count))
    }

    private mutating func appendLine(
        _ name: [UInt8], _ suffix: StaticString, _ labels: [UInt8], _ value: MetricValue
    ) {
        append(name)
        if suffix.utf8CodeUnitCount > 0 { append(suffix) }
        if !labels.isEmpty {
            append(UInt8(ascii: "{"))
            append(labels)
            append(UInt8(ascii: "}"))
        }
        append(UInt8(ascii: " "))
        append(value)
        append(UInt8(ascii: "\n"))
    }

    /// ` # {shard_id="07"} 0.0123 1700000000.5`
    private mutating func append(_ exemplar: Exemplar) {
        append(" # {")
        append(exemplar.labels.rendered)
        append("} ")
        append(exemplar.value)
        append(UInt8(ascii: " "))
        append(seconds: exemplar.nanosecondsSince1970)
    }

    mutating func append(_ value: MetricValue) {
        switch value {
        case .count(let count): append(decimal: count)
        case .signed(let number): append(signed: number)
        case .nanoseconds(let nanoseconds): append(seconds: nanoseconds)
        case .real(let number): append(real: number)
        }
    }
}
