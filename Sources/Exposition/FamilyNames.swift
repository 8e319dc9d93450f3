// No two families may share a name in any format, or one of them is lost there and only there:
//
//     gauge m_entries          beside counter m_entries_total     both are `m_entries` in OpenMetrics
//     gauge m_sum              beside histogram m                 m_sum is a line of m
//
// So a family claims every name that one of its lines or heads has in some format, and the second claim is refused.

/// The names that families have claimed.
public struct FamilyNames: Sendable {
    private struct Claim: Sendable {
        let family: MetricName
        let type: MetricType
        let owner: String
    }

    private var claims: [String: Claim] = [:]

    public init() {}

    /// Claims the names of a family for `owner`, or finds that they are its already. Nothing changes when this throws.
    public mutating func claim(_ family: MetricFamily, for owner: String) throws(FamilyCollision) {
        if let standing = claims[family.name.text], standing.family == family.name, standing.type == family.type,
            standing.owner == owner
        {
            return
        }
        guard (family.type == .counter) == family.name.text.hasSuffix("_total") else {
            throw .suffix(family.name, family.type)
        }
        let names = family.claimedNames
        for name in names {
            if let standing = claims[name] { throw .taken(name, of: family.name, by: standing.family) }
        }
        let claim = Claim(family: family.name, type: family.type, owner: owner)
        for name in names { claims[name] = claim }
    }
}

extension MetricFamily {
    /// Every name that a head or a line of this family has in some format.
    package var claimedNames: [String] {
        let name = openMetricsName
        return switch type {
        case .counter: [name, name + "_total", name + "_created"]
        case .gauge: [name]
        case .histogram: [name, name + "_bucket", name + "_sum", name + "_count", name + "_created"]
        }
    }
}

/// Why a family cannot be shown beside the others.
public enum FamilyCollision: Error, Equatable, CustomStringConvertible {
    case taken(String, of: MetricName, by: MetricName)
    case suffix(MetricName, MetricType)

    public var description: String {
        switch self {
        case .taken(let name, let family, let standing):
            "family \(family) would collide with \(standing): both have the name \(name) in some format; rename one"
        case .suffix(let family, .counter): "counter \(family) must end in _total, as OpenMetrics has it; rename it"
        case .suffix(let family, let type):
            "\(type.rawValue) \(family) must not end in _total, which says counter; rename it"
        }
    }
}
