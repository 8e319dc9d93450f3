// One request and its answer: what libmicrohttpd's several calls for it have in common.
//
// Why an object: libmicrohttpd calls once for the head, once per piece of the body, once at its end, and once when all
// is over. The exchange is made in the URI log callback, the only one that sees the raw target, and let go in the
// completion callback, the only one that is sure to come.
//
//     head ──► refused at once: answer, close                  (guard; hopeless size; Expect with a bad size)
//       ├────► discarding: body is read and thrown away ─► answer at its end
//       └────► collecting ─► end: handler ─► answer
//                  └─ over limit or budget ─► discarding
//
// Bounds: one thread at a time (a connection stays with its worker). The budget is given back when the handler has
// returned, or with the exchange, whichever comes first.

final class Exchange {
    /// What the callback does with libmicrohttpd next.
    enum Step {
        case goOn
        /// Queue this response.
        case answer(HTTPResponse)
        /// Close the connection without a word.
        case drop
    }

    private enum Phase {
        case awaitingHead
        case collecting(HTTPRequestHead, BodyCollector, respond: @Sendable (HTTPRequest) -> HTTPResponse)
        case discarding(BodyCollector, answer: HTTPResponse)
        case answered
    }

    let target: [UInt8]
    /// The target's address in libmicrohttpd's buffer, to compare and never to read.
    let targetPlace: UInt
    let connection: Connection?
    private let core: ServerCore
    private let began: UInt64
    private var bodyBegan: UInt64 = 0
    private var bodyBytes = 0
    private var phase = Phase.awaitingHead
    private var handlerName = "none"
    private var mustClose = false
    private var queuedStatus: Int?
    private var isOwnQueued = false
    private var onCompletion: (@Sendable (ResponseCompletion) -> Void)?

    init(target: [UInt8], targetPlace: UInt, connection: Connection?, core: ServerCore) {
        self.target = target
        self.targetPlace = targetPlace
        self.connection = connection
        began = core.now()
        connection?.enterHead(until: core.deadlines.head(from: began))
        self.core = core
        core.requestBegan()
    }

    /// Whether the head has been seen.
    var hasHead: Bool {
        if case .awaitingHead = phase { false } else { true }
    }

    /// The first call: nothing of the body has been read.
    func receiveHead(_ raw: RawHead) -> Step {
        let head: HTTPRequestHead
        do {
            head = try RequestGuard.check(raw)
        } catch {
            core.requestRefused(error.reason)
            return answer(error.response, close: true)
        }
        if let reason = connection?.refusal { return answer(Self.overLimit(reason), close: true) }
        bodyBegan = core.now()
        connection?.enter(.body, until: core.deadlines.body(from: bodyBegan, received: 0))
        mustClose = head.isChunked
        switch core.handler.prepare(head) {
        case .accept(let name, let limit, let respond):
            handlerName = name
            let collector = makeCollector(limit: limit, head: head)
            if let refusal = refusal(of: collector, declared: head.contentLength) {
                return refuse(refusal, collector: collector, head: head)
            }
            phase = .collecting(head, collector, respond: respond)
            return .goOn
        case .refuse(let name, let response):
            handlerName = name
            return refuse(response, collector: makeCollector(limit: 0, head: nil), head: head)
        }
    }

    /// Takes some bytes of the body.
    func receiveBody(_ bytes: Span<UInt8>) -> Step {
        bodyBytes += bytes.count
        connection?.enter(.body, until: core.deadlines.body(from: bodyBegan, received: bodyBytes))
        switch phase {
        case .collecting(let head, var collector, let respond):
            phase = .answered  // so that the collector's bytes have one owner while they grow
            let step = collector.append(bytes)
            if let answer = refusal(of: collector, declared: nil) {
                phase = .discarding(collector, answer: answer)
            } else {
                phase = .collecting(head, collector, respond: respond)
            }
            return step == .giveUp ? .drop : .goOn
        case .discarding(var collector, let answer):
            let step = collector.append(bytes)
            phase = .discarding(collector, answer: answer)
            return step == .giveUp ? .drop : .goOn
        case .awaitingHead, .answered:
            return .goOn
        }
    }

    /// The body has ended.
    func receiveEnd() -> Step {
        switch phase {
        case .collecting(let head, var collector, let respond):
            phase = .answered
            connection?.enter(.handling, until: .max)
            let response = respond(HTTPRequest(head: head, body: collector.takeBytes()))
            collector.release()
            return answer(response)
        case .discarding(_, let response):
            return answer(response)
        case .awaitingHead, .answered:
            return .goOn
        }
    }

    /// What stands in libmicrohttpd's queue for `response`: it, when `status` is its own; a substitute; or nothing.
    func didQueue(_ response: HTTPResponse, status: Int?) {
        onCompletion = response.onCompletion
        isOwnQueued = status == response.status
        queuedStatus = status
        connection?.enter(.responding, until: core.deadlines.response(from: core.now(), size: response.body.count))
    }

    /// All is over; called once. `ownStatus` is that of an answer which libmicrohttpd gave by itself, or 0.
    func end(isSent: Bool, ownStatus: Int) {
        if case .collecting(_, var collector, _) = phase { collector.release() }
        phase = .answered
        onCompletion?(isSent && isOwnQueued ? .sent : .aborted)
        onCompletion = nil
        let now = core.now()
        connection?.enterIdle(at: now, until: core.deadlines.idle(from: now))
        let status = queuedStatus ?? ownStatus
        guard status > 0 else {
            core.requestEnded(nil)
            return
        }
        core.requestEnded(
            FinishedRequest(
                handler: handlerName, status: status, nanoseconds: now &- began,
                completion: isSent ? .sent : .aborted))
    }

    private func makeCollector(limit: Int, head: HTTPRequestHead?) -> BodyCollector {
        BodyCollector(
            limit: limit, allowance: core.limits.drainAllowance, declared: head?.contentLength, budget: core.budget)
    }

    /// Answers now where waiting for the body is no use, else throws the body away first.
    private func refuse(_ response: HTTPResponse, collector: BodyCollector, head: HTTPRequestHead) -> Step {
        if head.hasBody, head.expectsContinue || collector.isHopeless(declared: head.contentLength) {
            return answer(response, close: true)
        }
        phase = .discarding(collector, answer: response)
        return .goOn
    }

    /// The refusal of a body that does not fit, counted once.
    private func refusal(of collector: BodyCollector, declared: Int?) -> HTTPResponse? {
        switch collector.overflow {
        case nil:
            return nil
        case .overLimit:
            core.requestRefused(.bodyTooLarge)
            mustClose = true
            let size = declared.map { "the body of \($0) bytes" } ?? "the body"
            return .problem(413, "Content Too Large", "\(size) is over the limit of \(collector.limit) bytes")
        case .overBudget:
            core.requestRefused(.bodyBudget)
            return .problem(
                503, "Service Unavailable",
                "the bodies being received are at the limit of \(core.budget.limit) bytes", retryAfter: 1)
        }
    }

    private static func overLimit(_ reason: RefusalReason) -> HTTPResponse {
        .problem(
            503, "Service Unavailable",
            reason == .addressLimit
                ? "your address has as many connections as it may have"
                : "there are as many connections as this listener takes", retryAfter: 1)
    }

    private func answer(_ response: HTTPResponse, close: Bool = false) -> Step {
        phase = .answered
        let isFramed: Set = ["connection", "content-length", "transfer-encoding", "date"]
        var response = response
        response.headers.removeAll { isFramed.contains($0.name.lowercased()) }
        if close || mustClose || core.isDraining {
            response.headers.append(("Connection", "close"))
        }
        return .answer(response)
    }
}
