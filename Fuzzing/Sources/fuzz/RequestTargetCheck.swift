import HTTPServer

/// What is taken comes back from its own encoding; what is refused is refused for the byte that is named.
func checkRequestTarget(_ input: [UInt8]) {
    do {
        let target = try RequestTarget(parsing: input)
        let path = input.prefix { $0 != UInt8(ascii: "?") }
        require(target.path.utf8.elementsEqual(path), "the path is that of the request")
        require(target.segments.count == path.count { $0 == UInt8(ascii: "/") }, "a segment for each slash")
        let encoded = encode(target)
        guard encoded.count <= RequestTarget.maximumLength else { return }
        do {
            let again = try RequestTarget(parsing: encoded)
            require(again.segments == target.segments, "the segments survive encoding: \(target.segments)")
            require(again.query == target.query, "the query survives encoding: \(target.query)")
        } catch {
            fatalError("its own encoding is refused: \(error)")
        }
    } catch {
        checkRefusal(error, of: input)
    }
}

private func checkRefusal(_ error: RequestTarget.ParseError, of input: [UInt8]) {
    switch error {
    case .tooLong(let limit): require(input.count > limit, "only what is too long is too long")
    case .notOriginForm: require(input.first != UInt8(ascii: "/"), "only what begins otherwise is no origin form")
    case .forbiddenByte(let byte, let offset):
        require(input[offset] == byte, "the byte stands where the error says")
        checkPrefix(input[..<offset])
    case .invalidEscape(let offset):
        require(input[offset] == UInt8(ascii: "%"), "an escape begins where the error says")
        checkPrefix(input[..<offset])
    case .tooManyQueryItems(let limit):
        let query = input.drop { $0 != UInt8(ascii: "?") }.dropFirst()
        require(query.split(separator: UInt8(ascii: "&")).count > limit, "only too many items are too many")
    }
}

/// What stands before the first bad byte is good, but for the number of its query items.
private func checkPrefix(_ prefix: ArraySlice<UInt8>) {
    do {
        _ = try RequestTarget(parsing: Array(prefix))
    } catch .tooManyQueryItems {
        return
    } catch {
        fatalError("the bytes before the first bad one are refused: \(error)")
    }
}

private func encode(_ target: RequestTarget) -> [UInt8] {
    var bytes: [UInt8] = []
    for segment in target.segments {
        bytes.append(UInt8(ascii: "/"))
        bytes += escaped(segment)
    }
    for (index, item) in target.query.enumerated() {
        bytes.append(UInt8(ascii: index == 0 ? "?" : "&"))
        bytes += escaped(item.name)
        bytes.append(UInt8(ascii: "="))
        bytes += escaped(item.value)
    }
    return bytes
}

/// Every byte as `%HH`.
private func escaped(_ bytes: [UInt8]) -> [UInt8] {
    bytes.flatMap { byte in
        let digits = String(byte, radix: 16)
        return Array((digits.count == 1 ? "%0" : "%").utf8) + Array(digits.utf8)
    }
}
