/// One line of a batch.
package enum BatchOperation: Equatable {
    /// `ttlSeconds` nil is for as long as the map's entries live.
    case put(key: [UInt8], value: [UInt8], ttlSeconds: Int? = nil)
    case get(key: [UInt8])
    case delete(key: [UInt8])

    package var isPut: Bool {
        if case .put = self { true } else { false }
    }

    /// The key that it is about.
    package var key: [UInt8] {
        switch self {
        case .put(let key, _, _), .get(let key), .delete(let key): key
        }
    }

    /// Parses a whole body; throws with the number of the first bad line, counted from 1.
    package static func parse(_ body: [UInt8]) throws(JSONProblem) -> [BatchOperation] {
        var operations: [BatchOperation] = []
        var lines = body.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        // The line feed that ends the last line begins no further one.
        if lines.last?.isEmpty == true { lines.removeLast() }
        for (index, line) in lines.enumerated() {
            operations.append(try BatchOperation(line, place: "line \(index + 1): "))
        }
        return operations
    }

    private init(_ line: ArraySlice<UInt8>, place: String) throws(JSONProblem) {
        do {
            self = try BatchOperation(
                JSONMembers(JSONValue.parse(line), known: ["op", "key", "key64", "value", "value64", "ttl_seconds"]))
        } catch {
            throw JSONProblem("\(place)\(error)")
        }
    }

    private init(_ members: JSONMembers) throws(JSONProblem) {
        guard let name = try members.text("op") else { throw JSONProblem("\"op\" is missing") }
        guard ["put", "get", "delete"].contains(name) else {
            throw JSONProblem("op \(JSONValue.text(name).description) is unknown; known are put, get, delete")
        }
        guard let key = try members.bytes("key") else { throw JSONProblem("\"key\" is missing") }
        let value = try members.bytes("value")
        let seconds = try members.timeToLive()
        guard name == "put" || seconds == nil else { throw JSONProblem("a \(name) takes no \"ttl_seconds\"") }
        switch (name, value) {
        case ("put", let value?): self = .put(key: key, value: value, ttlSeconds: seconds)
        case ("put", nil): throw JSONProblem("a put needs a \"value\"")
        case (_, _?): throw JSONProblem("a \(name) takes no \"value\"")
        case ("get", nil): self = .get(key: key)
        default: self = .delete(key: key)
        }
        if let problem = EntryLimits.problem(key: key) ?? value.flatMap(EntryLimits.problem(value:)) {
            throw JSONProblem(problem)
        }
    }
}
