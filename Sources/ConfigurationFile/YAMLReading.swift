import Yams

/// What every reader of a YAML file needs: the tree, strict mappings, and errors with the place.
protocol YAMLReading {
    /// The file's name, for errors.
    var path: String { get }
}

extension YAMLReading {
    func compose(_ text: String) throws(ConfigurationError) -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch let failure as YamlError {
            throw describe(failure)
        } catch {
            throw self.error(nil, "not valid YAML: \(error)")
        }
    }

    func describe(_ failure: YamlError) -> ConfigurationError {
        switch failure {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return error(mark.line, "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "\"\($0)\"" }.joined(separator: ", ")
            return error(context.mark.line, "key \(keys) stands twice")
        default:
            return error(nil, "not valid YAML: \(failure)")
        }
    }

    func mapping(
        _ node: Node, _ what: String
    ) throws(ConfigurationError) -> [(key: (text: String, line: Int), value: Node)] {
        guard case .mapping(let pairs) = node else {
            throw error(line(node), "\(what) must be a mapping of keys to values")
        }
        var result: [(key: (text: String, line: Int), value: Node)] = []
        for (key, value) in pairs {
            guard case .scalar(let scalar) = key else { throw error(line(key), "a key must be a text") }
            result.append(((scalar.string, line(key) ?? 1), value))
        }
        return result
    }

    func isNull(_ node: Node) -> Bool { node.null != nil }

    func line(_ node: Node) -> Int? { node.mark?.line }

    func error(_ line: Int?, _ reason: String) -> ConfigurationError {
        ConfigurationError(path: path, line: line, reason: reason)
    }

    /// A whole number; nil for anything else, YAML's base 60 (`1:30`) too: Yams multiplies it until it traps.
    func integer(_ node: Node) -> Int? {
        guard let scalar = node.scalar, !scalar.string.utf8.contains(UInt8(ascii: ":")) else { return nil }
        return node.int
    }

    /// A scalar's text, whatever its style.
    func text(_ node: Node, _ what: String) throws(ConfigurationError) -> String {
        guard case .scalar(let scalar) = node, !isNull(node) else { throw error(line(node), "\(what) must be a text") }
        return scalar.string
    }

    func bool(_ node: Node, _ what: String) throws(ConfigurationError) -> Bool {
        guard let value = node.bool else { throw error(line(node), "\(what) must be true or false") }
        return value
    }
}
