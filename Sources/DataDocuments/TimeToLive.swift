import InstrumentedMaps

/// How long an entry is to live, as a request says it: whole seconds.
package enum TimeToLive {
    /// As an error says what would be right.
    package static var wanted: String {
        "a whole number of seconds, \(MapOptions.ttlRange.lowerBound) to \(MapOptions.ttlRange.upperBound)"
    }
}

extension JSONMembers {
    /// The seconds of the member `ttl_seconds`, nil without it.
    package func timeToLive() throws(JSONProblem) -> Int? {
        let name = OptionField.ttlSeconds.rawValue
        guard let value = value(name) else { return nil }
        guard case .integer(let seconds) = value, MapOptions.ttlRange.contains(seconds) else {
            throw JSONProblem("\"\(name)\" must be \(TimeToLive.wanted), not \(value.description)")
        }
        return seconds
    }
}
