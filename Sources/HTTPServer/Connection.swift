/// One TCP connection, from libmicrohttpd's notice of its start to that of its end.
///
/// Made and ended in the connection callback, which is the one place that sees each connection exactly once each way;
/// the end is notified before `close(fd)`, so that the descriptor is valid for as long as this object is listed.
final class Connection: Sendable {
    let descriptor: Int32
    let peerAddress: String

    init(descriptor: Int32, peerAddress: String) {
        self.descriptor = descriptor
        self.peerAddress = peerAddress
    }
}
