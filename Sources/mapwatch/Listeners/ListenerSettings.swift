/// What the command line asks of one listener.
struct ListenerSettings: Sendable {
    /// The value of the label `listener`: `metrics` or `data`.
    let name: String
    var addresses: [String]
    /// Whether systemd's sockets are taken in place of the addresses.
    var usesSystemdSockets: Bool
    var maximumConnections: Int
    /// The file of TLS, users and header lines.
    var accessFile: String?
}
