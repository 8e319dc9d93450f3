/// A map's last operations as people and programs read them.
public enum TraceText {
    /// What an idle map prints: the articles' line, and its English.
    public static let noTrace = "无map异常轨迹 (no trace of map accidents)"

    /// One line an operation, oldest first, under a head; ``noTrace`` alone when there are none.
    public static func text(_ operations: [RecordedOperation]) -> String {
        guard !operations.isEmpty else { return noTrace + "\n" }
        var text =
            "time (UTC)                 shard  operation   outcome   key hash          duration ns  thread    caller\n"
        for operation in operations {
            text += row([
                (CalendarTime.text(operation.timeNanosecondsSince1970), 25), (String(operation.shard), 5),
                (operation.operation.description, 10), (operation.outcome.description, 8),
                (hexadecimal(operation.keyHash), 16),
                (operation.durationNanoseconds == 0 ? "-" : String(operation.durationNanoseconds), 11),
                (String(operation.thread), 8), (escaped(operation.caller), 0),
            ])
        }
        return text
    }

    /// One JSON object, without a line feed: a line of `recorder.jsonl`.
    public static func json(_ operation: RecordedOperation) -> String {
        "{\"time\":\"\(CalendarTime.text(operation.timeNanosecondsSince1970))\",\"map\":\(quoted(operation.map)),"
            + "\"shard\":\(operation.shard),\"number\":\(operation.number),"
            + "\"operation\":\"\(operation.operation)\",\"op_type\":\(operation.operation.rawValue),"
            + "\"outcome\":\"\(operation.outcome)\",\"key_hash\":\"\(hexadecimal(operation.keyHash))\","
            + "\"duration_ns\":\(operation.durationNanoseconds),\"thread\":\(operation.thread),"
            + "\"caller\":\(quoted(operation.caller))}"
    }

    private static func row(_ cells: [(String, width: Int)]) -> String {
        cells.map { cell in cell.0 + String(repeating: " ", count: max(0, cell.width - cell.0.utf8.count)) }
            .joined(separator: "  ") + "\n"
    }

    package static func hexadecimal(_ value: UInt64) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    package static func quoted(_ text: String) -> String { "\"\(escaped(text))\"" }

    /// The inside of a JSON string. A caller names itself, so its name may hold anything.
    private static func escaped(_ text: String) -> String {
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\":
                escaped += "\\"
                escaped.unicodeScalars.append(scalar)
            case _ where scalar.value < 0x20 || (0x7f...0x9f).contains(scalar.value):
                let digits = String(scalar.value, radix: 16)
                escaped += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
