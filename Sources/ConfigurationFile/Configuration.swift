public import AccidentIndicators
public import InstrumentedMaps

/// What `--config.file` says.
public struct Configuration: Sendable, Equatable {
    /// A map to host from the start.
    public struct Map: Sendable, Equatable {
        public let name: MapName
        public let options: MapOptions
        /// Where its indicators become alerts; the articles' lines where nothing is said.
        public let lines: IndicatorLines
    }

    /// Bytes that all maps together may hold; nil leaves the choice to the daemon.
    public var maximumBytes: Int?
    /// In the order of the file.
    public var maps: [Map] = []

    public init() {}
}

/// Why a configuration file was refused: where, and what to do about it.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    public let path: String
    /// Counted from 1; nil when the whole file is meant.
    public let line: Int?
    public let reason: String

    public var description: String { "\(path)\(line.map { ":\($0)" } ?? ""): \(reason)" }
}
