import Logging
import ServiceLifecycle
import UnixSignals

/// Ends with the first SIGTERM or SIGINT, and the process drains with it.
///
/// The group could trap them itself, but does so only once it runs: a signal during the start would then kill the
/// process, although its listeners are bound and its addresses may have been read from the log.
struct SignalService: Service {
    let signals: UnixSignalsSequence
    let logger: Logger

    func run() async throws {
        for await signal in signals {
            logger.info("ending", metadata: ["signal": "\(signal)"])
            return
        }
    }
}
