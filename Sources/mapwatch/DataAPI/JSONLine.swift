import FoundationEssentials
import HTTPServer

/// One JSON object, written member by member in the order that a reader expects.
///
/// `JSONEncoder` would sort or shuffle the members and copy each value twice; a listing writes one such line an entry.
struct JSONLine {
    private(set) var bytes: [UInt8] = [UInt8(ascii: "{")]

    mutating func add(_ name: String, _ number: some BinaryInteger) {
        begin(name)
        bytes += "\(number)".utf8
    }

    mutating func add(_ name: String, _ text: String) {
        begin(name)
        bytes.appendJSONString(text)
    }

    /// A finite number.
    mutating func add(_ name: String, _ number: Double) {
        begin(name)
        bytes += "\(number)".utf8
    }

    /// JSON that is rendered already.
    mutating func add(_ name: String, json: [UInt8]) {
        begin(name)
        bytes += json
    }

    mutating func addNull(_ name: String) {
        begin(name)
        bytes += "null".utf8
    }

    /// Raw bytes: as text in `name` when they are UTF-8, else in base64 in `name64`.
    mutating func add(_ name: String, raw: [UInt8]) {
        if let text = String(validating: raw, as: UTF8.self) {
            add(name, text)
        } else {
            begin(name + "64")
            bytes += "\"\(Data(raw).base64EncodedString())\"".utf8
        }
    }

    /// Closes the object and returns it with a line feed, ready to be appended to NDJSON.
    func line() -> [UInt8] { bytes + "}\n".utf8 }

    /// Closes the object.
    func object() -> [UInt8] { bytes + "}".utf8 }

    private mutating func begin(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes += "\"\(name)\":".utf8
    }
}
