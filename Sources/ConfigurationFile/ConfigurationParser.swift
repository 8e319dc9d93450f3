import AccidentIndicators
import InstrumentedMaps
import Yams

// The YAML is read as a tree and walked by hand, not decoded: a decoder takes unknown keys in silence, and a misspelt
// option that is ignored is an outage that waits. Each error names the line, the value and what would be right.
//
//     max_bytes: 1073741824
//     maps:
//       - name: orders
//         strategy: sharded
//         shards: 64
//         lines:
//           delete_ratio: 0.5

extension Configuration {
    /// Parses the text of a file; `path` stands in errors only. An empty file is a configuration without maps.
    public init(yaml text: String, path: String) throws(ConfigurationError) {
        self = try ConfigurationParser(path: path).parse(text)
    }
}

private struct ConfigurationParser: YAMLReading {
    let path: String

    init(path: String) { self.path = path }

    func parse(_ text: String) throws(ConfigurationError) -> Configuration {
        guard let root = try compose(text) else { return Configuration() }
        var configuration = Configuration()
        for (key, value) in try mapping(root, "the file") {
            switch key.text {
            case "maps": configuration.maps = try maps(value)
            case "max_bytes": configuration.maximumBytes = try bytes(value)
            default: throw error(key.line, "key \"\(key.text)\" is unknown; known are maps, max_bytes")
            }
        }
        return configuration
    }

    private func bytes(_ node: Node) throws(ConfigurationError) -> Int {
        guard let bytes = integer(node), bytes >= MapOptions.smallestMaximumBytes else {
            throw error(
                line(node),
                "max_bytes must be a whole number of at least \(MapOptions.smallestMaximumBytes), not "
                    + (node.string ?? "a list or mapping"))
        }
        return bytes
    }

    private func maps(_ node: Node) throws(ConfigurationError) -> [Configuration.Map] {
        if isNull(node) { return [] }
        guard case .sequence(let items) = node else { throw error(line(node), "maps must be a list of maps") }
        var maps: [Configuration.Map] = []
        for item in items {
            let map = try self.map(item)
            guard !maps.contains(where: { $0.name == map.name }) else {
                throw error(line(item), "map \"\(map.name)\" stands twice")
            }
            maps.append(map)
        }
        return maps
    }

    private func map(_ node: Node) throws(ConfigurationError) -> Configuration.Map {
        var name: MapName?
        var fields: [String: OptionValue] = [:]
        var lines: [String: Int] = [:]
        var ownLines: Node?
        for (key, value) in try mapping(node, "a map") {
            lines[key.text] = key.line
            switch key.text {
            case "name": name = try self.name(value)
            case "lines": ownLines = value
            default: fields[key.text] = optionValue(value)
            }
        }
        guard let name else { throw error(line(node), "a map has no name") }
        let indicatorLines = try ownLines.map { node throws(ConfigurationError) in
            try self.indicatorLines(node, of: name)
        }
        do {
            return Configuration.Map(
                name: name, options: try MapOptions(fields: fields), lines: indicatorLines ?? IndicatorLines())
        } catch {
            throw self.error(lines[error.field] ?? line(node), "map \"\(name)\": \(error)")
        }
    }

    private func name(_ node: Node) throws(ConfigurationError) -> MapName {
        guard case .scalar(let scalar) = node else { throw error(line(node), "name must be a text") }
        do { return try MapName(scalar.string) } catch { throw self.error(line(node), "\(error)") }
    }

    private func indicatorLines(_ node: Node, of map: MapName) throws(ConfigurationError) -> IndicatorLines {
        var places: [String: Int] = [:]
        var values: [(name: String, value: Double)] = []
        for (key, value) in try mapping(node, "lines of map \"\(map)\"") {
            places[key.text] = key.line
            guard case .scalar(let scalar) = value, scalar.style == .plain, let number = value.float else {
                throw error(
                    line(value),
                    "map \"\(map)\": line \(key.text) must be a number, not "
                        + (value.scalar?.string ?? "a list or mapping"))
            }
            values.append((key.text, number))
        }
        do {
            return try IndicatorLines(values)
        } catch {
            throw self.error(places[error.name] ?? line(node), "map \"\(map)\": \(error)")
        }
    }

    private func optionValue(_ node: Node) -> OptionValue {
        guard case .scalar(let scalar) = node else { return .other("a list or mapping") }
        // A quoted number is a text, as YAML says.
        guard scalar.style == .plain else { return .text(scalar.string) }
        if let number = integer(node) { return .integer(number) }
        // `yes` and `on` are no texts either, but nobody is told that they are true.
        if scalar.string == "true" || scalar.string == "false" { return .truth(scalar.string == "true") }
        return isNull(node) || node.bool != nil || node.float != nil ? .other(scalar.string) : .text(scalar.string)
    }
}
