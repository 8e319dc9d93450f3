import CMicrohttpd
import Glibc
import Instruments
import Logging

// What a supervisor is told, as sd_notify(3) has it: lines such as READY=1 in one datagram to the socket that
// NOTIFY_SOCKET names. Thirty lines of our own, because libsystemd would be a library more for one `sendto`.
//
//     start ──► READY=1 ──► (RELOADING=1 ──► READY=1)* ──► STOPPING=1
//                  └─ WATCHDOG=1 at half of WATCHDOG_USEC, from the same pool of tasks that takes the samples

/// systemd, or whoever else started this process and wants to hear how it is.
struct ServiceManager: Sendable {
    enum Event: Sendable, Equatable {
        /// Both listeners serve.
        case ready
        case reloading(monotonicMicroseconds: UInt64)
        case stopping
        case alive

        var message: String {
            switch self {
            case .ready: "READY=1\nSTATUS=serving"
            case .reloading(let now): "RELOADING=1\nMONOTONIC_USEC=\(now)\nSTATUS=reading the configuration again"
            case .stopping: "STOPPING=1\nSTATUS=draining"
            case .alive: "WATCHDOG=1"
            }
        }
    }

    /// A path, or an abstract name after `@`; nil when nobody asked.
    private let address: String?
    /// Between two signs of life; nil when nobody waits for them.
    let watchdogInterval: Duration?
    private let logger: Logger

    /// Reads `NOTIFY_SOCKET`, and `WATCHDOG_USEC` with `WATCHDOG_PID` (sd_watchdog_enabled(3)).
    init(environment: (String) -> String?, processID: Int32, logger: Logger) {
        self.logger = logger
        let name = environment("NOTIFY_SOCKET") ?? ""
        address = name.isEmpty ? nil : name
        let isMeant = environment("WATCHDOG_PID").map { Int32($0) == processID } ?? true
        let microseconds = environment("WATCHDOG_USEC").flatMap(Int64.init) ?? 0
        watchdogInterval = isMeant && address != nil && microseconds > 0 ? .microseconds(microseconds / 2) : nil
    }

    func reloading() {
        notify(.reloading(monotonicMicroseconds: MonotonicClock.nanoseconds() / 1000))
    }

    /// Sends one datagram; what cannot be sent is logged, and nothing waits for it.
    func notify(_ event: Event) {
        guard let address else { return }
        guard let errorNumber = ServiceManager.send(event.message, to: address) else { return }
        logger.warning(
            "cannot tell the service manager",
            metadata: [
                "socket": "\(address)", "event": "\(event)",
                "reason": "\(unsafe String(cString: strerror(errorNumber))) (errno \(errorNumber))",
            ])
    }

    /// The errno, or nil once it is sent.
    private static func send(_ message: String, to address: String) -> Int32? {
        guard address.hasPrefix("/") || address.hasPrefix("@") else { return EAFNOSUPPORT }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        let start = MemoryLayout<sockaddr_un>.offset(of: \.sun_path) ?? 2
        // An abstract name begins with a NUL and ends with the address; a path ends with a NUL.
        let name = address.hasPrefix("@") ? [0] + Array(address.utf8.dropFirst()) : Array(address.utf8)
        guard name.count < MemoryLayout<sockaddr_un>.size - start else { return ENAMETOOLONG }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return errno }
        defer { _ = close(descriptor) }
        let length = socklen_t(start + name.count + (name.first == 0 ? 0 : 1))
        let text = Array(message.utf8)
        let flags = Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        // Safety: the name fits into the address, and both outlive the call, which reads no more than their lengths.
        let sent = unsafe withUnsafeMutableBytes(of: &target) { raw in
            for (index, byte) in name.enumerated() { unsafe raw[start + index] = byte }
            guard let base = raw.baseAddress else { return -1 }
            return unsafe text.withUnsafeBytes { bytes in
                unsafe sendto(
                    descriptor, bytes.baseAddress, bytes.count, flags, base.assumingMemoryBound(to: sockaddr.self),
                    length
                )
            }
        }
        return sent == text.count ? nil : errno
    }
}
