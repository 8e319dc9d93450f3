import HTTPServer

/// What a request demands of an entry before it is done: its `If-Match` and its `If-None-Match` (RFC 9110, 13).
///
/// A value; checking it takes no lock, so that a map may ask under one.
struct EntryConditions: Equatable {
    /// The headers that a condition can stand in.
    enum Header: String {
        case ifMatch = "If-Match"
        case ifNoneMatch = "If-None-Match"
    }

    private let match: EntityTagSelection?
    private let noneMatch: EntityTagSelection?

    /// Throws a 400 that names the header when one is malformed.
    init(_ headers: HTTPHeaders) throws(APIProblem) {
        match = try EntryConditions.selection(.ifMatch, headers)
        noneMatch = try EntryConditions.selection(.ifNoneMatch, headers)
    }

    /// Whether nothing is demanded.
    var isEmpty: Bool { match == nil && noneMatch == nil }

    /// The header whose condition fails for an entry with this tag, nil for an absent one; nil when all hold.
    /// `If-Match` compares strongly and comes first, `If-None-Match` weakly, as the RFC has it.
    func failure(for current: EntityTag?) -> Header? {
        if let match, !match.holds(current, { $0.matchesStrongly($1) }) { return .ifMatch }
        if let noneMatch, noneMatch.holds(current, { $0.matchesWeakly($1) }) { return .ifNoneMatch }
        return nil
    }

    /// Several lines of one header are one list.
    private static func selection(
        _ header: Header, _ headers: HTTPHeaders
    ) throws(APIProblem) -> EntityTagSelection? {
        let lines = headers.all(header.rawValue)
        if lines.isEmpty { return nil }
        let text = lines.joined(separator: ",")
        guard let selection = EntityTagSelection(parsing: text) else {
            throw APIProblem(
                status: 400, title: "Bad Request",
                detail: "\(header.rawValue) must be * or tags in double quotes with commas between, not: "
                    + String(decoding: text.utf8.prefix(256), as: UTF8.self),
                field: header.rawValue)
        }
        return selection
    }
}

extension EntityTagSelection {
    /// Whether there is an entry and it is one of the selected.
    fileprivate func holds(_ current: EntityTag?, _ matches: (EntityTag, EntityTag) -> Bool) -> Bool {
        guard let current else { return false }
        return switch self {
        case .any: true
        case .tags(let tags): tags.contains { matches($0, current) }
        }
    }
}
