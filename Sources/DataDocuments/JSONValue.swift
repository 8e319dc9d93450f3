import FoundationEssentials
package import InstrumentedMaps

/// Any JSON, kept as written, so that an error can name the value that was wrong.
package enum JSONValue: Decodable, Equatable {
    case text(String)
    case integer(Int)
    case real(Double)
    case bool(Bool)
    case null
    case array([JSONValue])
    case object([String: JSONValue])

    /// Parses one JSON value; throws ``JSONProblem``.
    package static func parse(_ bytes: some Collection<UInt8>) throws(JSONProblem) -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw JSONProblem("this is not valid JSON: \(JSONValue.excerpt(bytes))")
        }
    }

    package init(from decoder: any Decoder) throws {
        // Most values are texts and objects of texts: those first, since each wrong guess costs a thrown error.
        if let object = try? decoder.container(keyedBy: AnyKey.self) {
            var members: [String: JSONValue] = [:]
            for key in object.allKeys { members[key.stringValue] = try object.decode(JSONValue.self, forKey: key) }
            self = .object(members)
            return
        }
        if var list = try? decoder.unkeyedContainer() {
            var items: [JSONValue] = []
            while !list.isAtEnd { items.append(try list.decode(JSONValue.self)) }
            self = .array(items)
            return
        }
        let scalar = try decoder.singleValueContainer()
        if let text = try? scalar.decode(String.self) {
            self = .text(text)
        } else if let integer = try? scalar.decode(Int.self) {
            self = .integer(integer)
        } else if let bool = try? scalar.decode(Bool.self) {
            self = .bool(bool)
        } else if scalar.decodeNil() {
            self = .null
        } else {
            self = .real(try scalar.decode(Double.self))
        }
    }

    /// As an error shows it.
    package var description: String {
        switch self {
        case .text(let text): "\"\(JSONValue.excerpt(text.utf8))\""
        case .integer(let number): "\(number)"
        case .real(let number): "\(number)"
        case .bool(let bool): "\(bool)"
        case .null: "null"
        case .array: "a list"
        case .object: "an object"
        }
    }

    /// The same value as the option of a map.
    package var optionValue: OptionValue {
        switch self {
        case .text(let text): .text(text)
        case .integer(let number): .integer(number)
        case .bool(let truth): .truth(truth)
        default: .other(description)
        }
    }

    /// The first bytes of what may be long and hostile, for an error.
    private static func excerpt(_ bytes: some Collection<UInt8>) -> String {
        let shown = String(decoding: bytes.prefix(80), as: UTF8.self)
        return bytes.count > 80 ? "\(shown)… (\(bytes.count) bytes)" : shown
    }

    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// What is wrong with a JSON document.
package struct JSONProblem: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
