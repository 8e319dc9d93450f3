// Prometheus' text format 0.0.4, appended to one buffer:
//
//     # HELP map_entries Entries now.
//     # TYPE map_entries gauge
//     map_entries{map_name="orders",shard_id="00"} 17
//
// Families come out sorted by name and samples in their collector's order, so that two scrapes of the same state are
// the same bytes. Integers stand without ".0"; Swift's `inf`, `nan` and `1e+21` become what the format's Go parsers
// print (`+Inf`, `NaN`, `1e+21`).

/// Renders families as text format 0.0.4.
public enum TextFormat {
    /// The exact Content-Type; Prometheus 3 fails a scrape without it.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// The body for `families`, each with its HELP and TYPE, sorted by name; a family without series is left out.
    /// Cost: linear in the bytes.
    public static func render(_ families: [MetricFamily]) -> [UInt8] {
        var body: [UInt8] = []
        body.reserveCapacity(families.reduce(0) { $0 + 256 + $1.series.count * 96 })
        for family in families.sorted(by: { $0.name < $1.name }) where !family.series.isEmpty {
            append(family, to: &body)
        }
        return body
    }

    private static func append(_ family: MetricFamily, to body: inout [UInt8]) {
        let name = Array(family.name.text.utf8)
        body += "# HELP ".utf8
        body += name
        body.append(UInt8(ascii: " "))
        body.appendEscaped(family.help, quotes: false)
        body += "\n# TYPE ".utf8
        body += name
        body.append(UInt8(ascii: " "))
        body += family.type.rawValue.utf8
        body.append(UInt8(ascii: "\n"))
        for series in family.series {
            switch series {
            case .sample(let labels, let value): append(name, labels.rendered, value, to: &body)
            case .histogram(let labels, let value): append(name, labels.rendered, value, to: &body)
            }
        }
    }

    private static func append(_ name: [UInt8], _ labels: [UInt8], _ value: MetricValue, to body: inout [UInt8]) {
        body += name
        if !labels.isEmpty {
            body.append(UInt8(ascii: "{"))
            body += labels
            body.append(UInt8(ascii: "}"))
        }
        body.append(UInt8(ascii: " "))
        append(value, to: &body)
        body.append(UInt8(ascii: "\n"))
    }

    /// Cumulative buckets with `le` behind the other labels, then the sum and the count.
    private static func append(_ name: [UInt8], _ labels: [UInt8], _ value: HistogramValue, to body: inout [UInt8]) {
        let bucket = name + "_bucket".utf8
        let prefix = labels.isEmpty ? labels : labels + [UInt8(ascii: ",")]
        var count: UInt64 = 0
        for (le, observations) in zip(value.bounds.labels, value.counts) {
            count &+= observations
            append(bucket, prefix + le, .count(count), to: &body)
        }
        append(name + "_sum".utf8, labels, value.sum, to: &body)
        append(name + "_count".utf8, labels, .count(count), to: &body)
    }

    private static func append(_ value: MetricValue, to body: inout [UInt8]) {
        switch value {
        case .count(let count): append(count, to: &body)
        case .signed(let number):
            if number < 0 { body.append(UInt8(ascii: "-")) }
            append(number.magnitude, to: &body)
        case .nanoseconds(let nanoseconds): append(seconds: nanoseconds, to: &body)
        case .real(let number): append(number, to: &body)
        }
    }

    private static func append(_ number: UInt64, to body: inout [UInt8]) {
        let start = body.count
        var rest = number
        repeat {
            body.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        body[start...].reverse()
    }

    /// Exact decimal seconds, without the detour by a double that would lose nanoseconds after 104 days.
    private static func append(seconds nanoseconds: UInt64, to body: inout [UInt8]) {
        let (seconds, fraction) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
        append(seconds, to: &body)
        guard fraction > 0 else { return }
        body.append(UInt8(ascii: "."))
        var rest = fraction
        var unit: UInt64 = 100_000_000
        while rest > 0 {
            body.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    private static func append(_ number: Double, to body: inout [UInt8]) {
        if number.isNaN {
            body += "NaN".utf8
        } else if number.isInfinite {
            body += (number < 0 ? "-Inf" : "+Inf").utf8
        } else if let whole = Int64(exactly: number) {
            append(.signed(whole), to: &body)
        } else {
            body += number.description.utf8
        }
    }
}
