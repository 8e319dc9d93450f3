/// What to do with a request whose head is in; `handler` is the label under which it is counted.
public enum RequestPlan: Sendable {
    /// Read a body of at most `bodyLimit` bytes, then ask for the response.
    ///
    /// `respond` runs on one of the server's few threads: while it runs, the other connections of that thread wait.
    case accept(handler: String, bodyLimit: Int, respond: @Sendable (HTTPRequest) -> HTTPResponse)
    /// Answer without the body, which is discarded.
    case refuse(handler: String, HTTPResponse)
}

/// Decides what becomes of a request.
public protocol HTTPHandler: Sendable {
    /// Called once per request when its head is in and no byte of its body is read, on a thread of the server.
    func prepare(_ head: HTTPRequestHead) -> RequestPlan
}
