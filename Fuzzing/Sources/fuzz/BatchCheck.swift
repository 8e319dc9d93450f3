// `@testable`, because what a batch is made of is of no use outside of the daemon.
@testable import DataDocuments

/// A batch that is taken has an operation for each line, within the limits; one that is refused names the first bad line:
/// those before it are taken, and it is refused by itself.
func checkBatch(_ input: [UInt8]) {
    var lines = input.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    if lines.last?.isEmpty == true { lines.removeLast() }
    do {
        let operations = try BatchOperation.parse(input)
        require(operations.count == lines.count, "\(operations.count) operations for \(lines.count) lines")
        operations.forEach(checkLimits)
    } catch {
        guard let number = namedLine(error.description), lines.indices.contains(number - 1) else {
            fatalError("no line of the \(lines.count) is named by \(error)")
        }
        let before = Array(lines[..<(number - 1)].joined(separator: [UInt8(ascii: "\n")]))
        do {
            let operations = try BatchOperation.parse(before + (number == 1 ? [] : [UInt8(ascii: "\n")]))
            require(operations.count == number - 1, "\(operations.count) operations before line \(number)")
        } catch {
            fatalError("a line before line \(number) is bad too: \(error)")
        }
        require(isRefused(lines[number - 1]), "line \(number) is taken by itself")
    }
}

private func checkLimits(_ operation: BatchOperation) {
    switch operation {
    case .put(let key, let value, let seconds):
        require(EntryLimits.keyBytes.contains(key.count), "a key of \(key.count) bytes")
        require(value.count <= EntryLimits.maximumValueBytes, "a value of \(value.count) bytes")
        require(seconds.map { $0 >= 1 } ?? true, "an entry that is gone at once")
    case .get(let key), .delete(let key):
        require(EntryLimits.keyBytes.contains(key.count), "a key of \(key.count) bytes")
    }
}

private func isRefused(_ line: ArraySlice<UInt8>) -> Bool {
    do { _ = try BatchOperation.parse(line + [UInt8(ascii: "\n")]) } catch {
        return error.description.hasPrefix("line 1: ")
    }
    return false
}

/// The number in `line 7: …`.
private func namedLine(_ description: String) -> Int? {
    guard description.hasPrefix("line ") else { return nil }
    return Int(description.dropFirst(5).prefix { $0 != ":" })
}
