/// A request method; names are case-sensitive, as HTTP has them.
public enum HTTPMethod: Sendable, Hashable, CustomStringConvertible {
    case get, head, put, post, delete
    case other(String)

    public init(_ name: String) {
        switch name {
        case "GET": self = .get
        case "HEAD": self = .head
        case "PUT": self = .put
        case "POST": self = .post
        case "DELETE": self = .delete
        default: self = .other(name)
        }
    }

    /// The name on the wire.
    public var description: String {
        switch self {
        case .get: "GET"
        case .head: "HEAD"
        case .put: "PUT"
        case .post: "POST"
        case .delete: "DELETE"
        case .other(let name): name
        }
    }
}
