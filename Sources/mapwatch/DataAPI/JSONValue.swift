import FoundationEssentials
import InstrumentedMaps

/// Any JSON, kept as written, so that an error can name the value that was wrong.
enum JSONValue: Decodable, Equatable {
    case text(String)
    case integer(Int)
    case real(Double)
    case bool(Bool)
    case null
    case array([JSONValue])
    case object([String: JSONValue])

    /// Parses one JSON value; throws ``JSONProblem``.
    static func parse(_ bytes: some Collection<UInt8>) throws(JSONProblem) -> JSONValue {
        do {
            return try JSONDecoder().decode(JSONValue.self, from: Data(bytes))
        } catch {
            throw JSONProblem("this is not valid JSON: \(JSONValue.excerpt(bytes))")
        }
    }

    init(from decoder: any Decoder) throws {
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
    var description: String {
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
    var optionValue: OptionValue {
        switch self {
        case .text(let text): .text(text)
        case .integer(let number): .integer(number)
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
struct JSONProblem: Error, Equatable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// An object whose members are taken one by one, so that what is left over is known to be unknown.
struct JSONMembers {
    private var members: [String: JSONValue]
    private let known: [String]

    init(_ value: JSONValue, known: [String]) throws(JSONProblem) {
        guard case .object(let members) = value else {
            throw JSONProblem("expected an object, not \(value.description)")
        }
        for name in members.keys.sorted() where !known.contains(name) {
            throw JSONProblem("field \"\(name)\" is unknown; known are \(known.joined(separator: ", "))")
        }
        self.members = members
        self.known = known
    }

    /// A member as it was written, nil when it is absent.
    func value(_ name: String) -> JSONValue? { members[name] }

    /// The text of a member, nil when it is absent.
    func text(_ name: String) throws(JSONProblem) -> String? {
        guard let value = members[name] else { return nil }
        guard case .text(let text) = value else {
            throw JSONProblem("\"\(name)\" must be a text, not \(value.description)")
        }
        return text
    }

    /// Raw bytes, which stand as text in `name` or in base64 in `name64`; nil when neither is there.
    func bytes(_ name: String) throws(JSONProblem) -> [UInt8]? {
        let plain = try text(name)
        guard let encoded = try text(name + "64") else { return plain.map { Array($0.utf8) } }
        guard plain == nil else { throw JSONProblem("\"\(name)\" and \"\(name)64\" cannot both be given") }
        guard let data = Data(base64Encoded: encoded) else {
            throw JSONProblem("\"\(name)64\" is not base64: \(JSONValue.text(encoded).description)")
        }
        return Array(data)
    }

    /// A list of texts, as raw bytes; nil when it is absent.
    func byteList(_ name: String, base64: Bool) throws(JSONProblem) -> [[UInt8]]? {
        guard let value = members[name] else { return nil }
        guard case .array(let items) = value else {
            throw JSONProblem("\"\(name)\" must be a list of texts, not \(value.description)")
        }
        var list: [[UInt8]] = []
        for item in items {
            guard case .text(let text) = item else {
                throw JSONProblem("\"\(name)\" must hold texts, not \(item.description)")
            }
            guard base64 else {
                list.append(Array(text.utf8))
                continue
            }
            guard let data = Data(base64Encoded: text) else {
                throw JSONProblem("\"\(name)\" must hold base64, not \(item.description)")
            }
            list.append(Array(data))
        }
        return list
    }
}
