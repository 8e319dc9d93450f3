/// Lets only those through to a handler who may ask, and adds the listener's header lines to each answer.
struct GuardedHandler: HTTPHandler {
    let inner: any HTTPHandler
    let access: AccessControl
    /// Paths that anybody may ask for: health checks.
    let openPaths: Set<String>
    let refused: @Sendable (RefusalReason) -> Void

    func prepare(_ head: HTTPRequestHead) -> RequestPlan {
        let settings = access.settings
        let plan: RequestPlan
        if let refusal = refusal(of: head, settings.users) {
            plan = .refuse(handler: "none", refusal)
        } else {
            plan = inner.prepare(head)
        }
        return settings.headers.isEmpty ? plan : adding(settings.headers, to: plan)
    }

    private func refusal(of head: HTTPRequestHead, _ users: [String: String]) -> HTTPResponse? {
        if users.isEmpty || openPaths.contains(head.target.path) { return nil }
        let lines = head.headers.all("Authorization")
        if lines.count == 1, let credentials = BasicCredentials(lines[0]) {
            switch access.passwords.check(credentials, users, from: head.peerAddress) {
            case .right: return nil
            case .wrong: break
            case .tooManyAttempts:
                refused(.tooManyAttempts)
                return .problem(
                    429, "Too Many Requests", "too many wrong passwords from your address", retryAfter: 1)
            case .busy:
                refused(.tooManyAttempts)
                return .problem(
                    503, "Service Unavailable", "too many passwords are to be checked; try again", retryAfter: 1)
            }
        }
        refused(.unauthorized)
        var response = HTTPResponse.problem(
            401, "Unauthorized", lines.isEmpty ? "a user and a password are asked for" : "wrong user or password")
        response.headers.append(("WWW-Authenticate", "Basic realm=\"mapwatch\", charset=\"UTF-8\""))
        return response
    }

    private func adding(_ headers: [AccessSettings.Header], to plan: RequestPlan) -> RequestPlan {
        @Sendable func with(_ response: HTTPResponse) -> HTTPResponse {
            var response = response
            for header in headers { response.headers.append((header.name, header.value)) }
            return response
        }
        switch plan {
        case .accept(let handler, let bodyLimit, let respond):
            return .accept(handler: handler, bodyLimit: bodyLimit) { with(respond($0)) }
        case .refuse(let handler, let response):
            return .refuse(handler: handler, with(response))
        }
    }
}
