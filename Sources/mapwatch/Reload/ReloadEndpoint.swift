import HTTPServer

/// `POST /-/reload`, and `PUT` as Prometheus has it: reads the files again, when `--web.enable-lifecycle` allows that.
struct ReloadEndpoint {
    /// Bytes of a body that is read and not looked at.
    private static let bodyLimit = 1024

    let isEnabled: Bool
    let reloader: Reloader

    func routes() -> [Route] {
        [HTTPMethod.post, .put].map { method in
            Route(method, "/-/reload", name: "reload", bodyLimit: Self.bodyLimit) { _, _ in answer() }
        }
    }

    private func answer() -> HTTPResponse {
        guard isEnabled else { return .text("Lifecycle API is not enabled.\n", status: 403) }
        do {
            try reloader.reload()
            return .empty(200)
        } catch {
            return .text("failed to reload config: \(error)\n", status: 500)
        }
    }
}
