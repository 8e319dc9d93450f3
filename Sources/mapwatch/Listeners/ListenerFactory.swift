import HTTPServer
import Logging

/// Turns settings into listeners that are bound, and bound ones into servers.
struct ListenerFactory {
    /// What the kernel holds of a scrape: little, so that one which is aborted is noticed as such.
    private static let scrapeSendBuffer = 64 * 1024
    /// Threads for scrapes: more than cores, because one that waits for a gather keeps its thread.
    private static let scrapeWorkers = 4
    /// Descriptors that are not connections: files, listening sockets, epoll sets.
    private static let otherDescriptors = 256

    let logger: Logger

    func bind(_ settings: ListenerSettings) throws(StartRefusal) -> [ListeningSocket] {
        do {
            if settings.usesSystemdSockets { return try adoptSystemdSockets(settings) }
            return try settings.addresses.map { try ListeningSocket.bind(ListenAddress($0)) }
        } catch {
            throw StartRefusal(description: "\(error)")
        }
    }

    private func adoptSystemdSockets(_ settings: ListenerSettings) throws -> [ListeningSocket] {
        let all = try SystemdSockets(environment: System.environment, processID: System.processID)
        return try all.sockets(of: settings.name).map { socket in
            try ListeningSocket.adopt(socket.descriptor, name: "systemd's socket \"\(socket.name)\"")
        }
    }

    func serve(
        _ settings: ListenerSettings, _ sockets: [ListeningSocket], _ access: AccessControl, _ routes: [Route]
    ) throws(StartRefusal) -> HTTPServer {
        let logger = logger
        let name = settings.name
        do {
            return try HTTPServer(
                name: name, sockets: sockets, limits: limits(settings), handler: Router(routes), access: access,
                openPaths: MetricsListener.healthPaths
            ) { request in
                logger.debug(
                    "request",
                    metadata: [
                        "listener": "\(name)", "handler": "\(request.handler)", "code": "\(request.status)",
                        "seconds": "\(Double(request.nanoseconds) / 1e9)",
                    ])
            }
        } catch {
            throw StartRefusal(description: "\(error)")
        }
    }

    /// The access rules of a listener as its file says.
    func access(_ settings: ListenerSettings) throws(StartRefusal) -> AccessControl {
        let settings = try AccessFile.read(settings.accessFile)
        do { return try AccessControl(settings) } catch { throw StartRefusal(description: "\(error)") }
    }

    private func limits(_ settings: ListenerSettings) -> HTTPLimits {
        var limits = HTTPLimits()
        limits.connections = settings.maximumConnections
        if settings.name == "metrics" {
            limits.sendBuffer = Self.scrapeSendBuffer
            limits.workers = Self.scrapeWorkers
        }
        // Either listener may have half of what the process may open.
        let possible = max(16, (System.descriptorLimit() - Self.otherDescriptors) / 2 - HTTPServer.refusalReserve)
        if possible < limits.connections {
            logger.warning(
                "fewer connections than asked for: the process may not open more descriptors; raise ulimit -n",
                metadata: [
                    "listener": "\(settings.name)", "asked": "\(limits.connections)", "connections": "\(possible)",
                ])
            limits.connections = possible
        }
        return limits
    }
}
