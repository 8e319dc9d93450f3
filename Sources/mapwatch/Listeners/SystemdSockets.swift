/// The listening sockets that systemd has handed over (sd_listen_fds(3)), told from three environment variables.
struct SystemdSockets: Equatable {
    /// The first descriptor, by convention.
    private static let first: Int32 = 3

    /// Descriptors with their names, in order.
    let sockets: [Socket]

    struct Socket: Equatable {
        let descriptor: Int32
        /// `FileDescriptorName=` of the socket unit; systemd's default is the unit's name.
        let name: String
    }

    /// Reads the variables; throws one line that says which is missing or wrong.
    init(environment: (String) -> String?, processID: Int32) throws(StartRefusal) {
        guard let countText = environment("LISTEN_FDS"), let pidText = environment("LISTEN_PID") else {
            throw StartRefusal(
                description: "a systemd socket is asked for, but LISTEN_FDS and LISTEN_PID are not set: "
                    + "start mapwatch from a .socket unit, or leave out --web.systemd-socket and --data.systemd-socket")
        }
        guard Int32(pidText) == processID else {
            throw StartRefusal(
                description: "the sockets of systemd are for process LISTEN_PID=\(pidText), and this is \(processID)")
        }
        guard let count = Int32(countText), (1...64).contains(count) else {
            throw StartRefusal(description: "LISTEN_FDS=\(countText) is not a number of sockets from 1 to 64")
        }
        let names = (environment("LISTEN_FDNAMES") ?? "").split(separator: ":", omittingEmptySubsequences: false)
        sockets = (0..<count).map { index in
            Socket(
                descriptor: Self.first + index, name: Int(index) < names.count ? String(names[Int(index)]) : "unknown")
        }
    }

    /// Those of a listener: sockets named `data` are the data listener's, all others the metrics listener's.
    func sockets(of listener: String) throws(StartRefusal) -> [Socket] {
        let found = sockets.filter { ($0.name == "data") == (listener == "data") }
        guard !found.isEmpty else {
            let names = sockets.map(\.name).joined(separator: ", ")
            throw StartRefusal(
                description: "systemd handed over no socket for the \(listener) listener, only: \(names); "
                    + "FileDescriptorName=data names one of the data listener, any other name one of metrics")
        }
        return found
    }
}
