/// Who may ask a listener, over what, and what is added to each answer.
public struct AccessSettings: Sendable, Equatable {
    /// A header line of each answer.
    public struct Header: Sendable, Equatable {
        public let name: String
        public let value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Nil for plain HTTP.
    public var tls: TLSSettings?
    /// Names and bcrypt hashes; empty lets everybody in.
    public var users: [String: String] = [:]
    public var headers: [Header] = []

    public init() {}
}
