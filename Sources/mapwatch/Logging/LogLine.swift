import HTTPServer

/// The bytes of one log line.
enum LogLine {
    static func render(_ fields: [(key: String, value: String)], _ format: LogFormat) -> [UInt8] {
        switch format {
        case .logfmt: logfmt(fields)
        case .json: json(fields)
        }
    }

    /// `key=value key="a value"`: quoted as soon as a reader could be misled.
    private static func logfmt(_ fields: [(key: String, value: String)]) -> [UInt8] {
        var line: [UInt8] = []
        for (key, value) in fields {
            if !line.isEmpty { line.append(UInt8(ascii: " ")) }
            line += "\(key)=".utf8
            let isPlain =
                !value.isEmpty
                && value.utf8.allSatisfy {
                    $0 > 0x20 && $0 != 0x7f && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "=")
                        && $0 != UInt8(ascii: "\\")
                }
            if isPlain { line += value.utf8 } else { line.appendJSONString(value) }
        }
        return line + "\n".utf8
    }

    private static func json(_ fields: [(key: String, value: String)]) -> [UInt8] {
        var line: [UInt8] = []
        for (key, value) in fields {
            line.append(UInt8(ascii: line.isEmpty ? "{" : ","))
            line.appendJSONString(key)
            line.append(UInt8(ascii: ":"))
            line.appendJSONString(value)
        }
        return line + "}\n".utf8
    }
}
