/// What the command line asks of one listener.
struct ListenerSettings: Sendable {
    /// The value of the label `listener`: `metrics` or `data`.
    let name: String
    var addresses: [String]
    var maximumConnections: Int
}
