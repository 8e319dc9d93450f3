import FoundationEssentials

/// An object whose members are taken one by one, so that what is left over is known to be unknown.
package struct JSONMembers {
    private var members: [String: JSONValue]
    private let known: [String]

    package init(_ value: JSONValue, known: [String]) throws(JSONProblem) {
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
    package func value(_ name: String) -> JSONValue? { members[name] }

    /// The text of a member, nil when it is absent.
    package func text(_ name: String) throws(JSONProblem) -> String? {
        guard let value = members[name] else { return nil }
        guard case .text(let text) = value else {
            throw JSONProblem("\"\(name)\" must be a text, not \(value.description)")
        }
        return text
    }

    /// Raw bytes, which stand as text in `name` or in base64 in `name64`; nil when neither is there.
    package func bytes(_ name: String) throws(JSONProblem) -> [UInt8]? {
        let plain = try text(name)
        guard let encoded = try text(name + "64") else { return plain.map { Array($0.utf8) } }
        guard plain == nil else { throw JSONProblem("\"\(name)\" and \"\(name)64\" cannot both be given") }
        guard let data = Data(base64Encoded: encoded) else {
            throw JSONProblem("\"\(name)64\" is not base64: \(JSONValue.text(encoded).description)")
        }
        return Array(data)
    }

    /// A list of texts, as raw bytes; nil when it is absent.
    package func byteList(_ name: String, base64: Bool) throws(JSONProblem) -> [[UInt8]]? {
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
