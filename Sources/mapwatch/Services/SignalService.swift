import Logging
import ServiceLifecycle
import UnixSignals

/// Ends with the first SIGTERM or SIGINT, and the process drains with it; SIGHUP reads the configuration again.
///
/// The group could trap them itself, but does so only once it runs: a signal during the start would then kill the
/// process, although its listeners are bound and its addresses may have been read from the log.
struct SignalService: Service {
    let signals: UnixSignalsSequence
    let reloader: Reloader
    let manager: ServiceManager
    let logger: Logger

    func run() async throws {
        for await signal in signals {
            if signal == .sighup {
                // What is wrong has been logged and counted.
                try? reloader.reload()
                continue
            }
            manager.notify(.stopping)
            logger.info("ending", metadata: ["signal": "\(signal)"])
            return
        }
    }
}
