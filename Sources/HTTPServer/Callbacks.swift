// The functions that libmicrohttpd calls, and nothing but the way from C to `Exchange` and `Connection` and back.
//
// Why top-level functions: a closure can be inferred to be isolated to an actor, and then traps when a thread of
// libmicrohttpd calls it, without a word from the compiler.
//
// Safety, for the whole file: `context` is the `ServerCore` that `Daemon` keeps alive until its threads are joined.
// The request's slot holds the +1 reference made in `uriReceived`, taken back once in `requestCompleted`;
// libmicrohttpd calls the latter exactly once for each former. The connection's slot likewise, between the two
// notifications. C strings and buffers are read during the call that brings them.

import CMicrohttpd
import Glibc

/// The first call of a request: its raw target. What it returns is the request's slot.
func uriReceived(
    context: UnsafeMutableRawPointer?, target: UnsafePointer<CChar>?, connection: OpaquePointer?
) -> UnsafeMutableRawPointer? {
    guard let context = unsafe context else { return nil }
    let core = unsafe Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
    var bytes: [UInt8] = []
    var place: UInt = 0
    if let target = unsafe target {
        place = UInt(bitPattern: target)
        // One byte over the limit says that it is over; more need not be copied.
        let length = unsafe strnlen(target, RequestTarget.maximumLength + 1)
        bytes = unsafe Array(UnsafeRawBufferPointer(start: target, count: length))
        unsafe cmhd_hide_query(target)
    }
    let state = unsafe connection.flatMap { unsafe connectionState($0) }
    let exchange = Exchange(target: bytes, targetPlace: place, connection: state, core: core)
    return unsafe Unmanaged.passRetained(exchange).toOpaque()
}

/// The calls for head, body and end of a request.
func requestReceived(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?, url: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, body: UnsafePointer<CChar>?,
    bodySize: UnsafeMutablePointer<Int>?, slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let connection = unsafe connection, let opaque = unsafe slot?.pointee, let bodySize = unsafe bodySize else {
        return .NO
    }
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(opaque).takeUnretainedValue()
    let step: Exchange.Step
    if !exchange.hasHead {
        step = unsafe exchange.receiveHead(readHead(connection, method, version, of: exchange))
    } else if unsafe bodySize.pointee > 0 {
        let bytes = unsafe UnsafeRawBufferPointer(start: body, count: bodySize.pointee)
        step = unsafe exchange.receiveBody(bytes.bindMemory(to: UInt8.self).span)
        unsafe bodySize.pointee = 0
    } else {
        step = exchange.receiveEnd()
    }
    switch step {
    case .goOn:
        return .YES
    case .drop:
        return .NO
    case .answer(let response):
        return unsafe send(response, for: exchange, on: connection) ? .YES : .NO
    }
}

/// The last call of a request, with how it ended.
func requestCompleted(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, code: MHD_RequestTerminationCode
) {
    guard let slot = unsafe slot, let opaque = unsafe slot.pointee else { return }
    unsafe slot.pointee = nil
    let exchange = unsafe Unmanaged<Exchange>.fromOpaque(opaque).takeRetainedValue()
    let ownStatus = unsafe connection.map { unsafe Int(cmhd_queued_status($0)) } ?? 0
    exchange.end(isSent: cmhd_completed_ok(code) != 0, ownStatus: ownStatus)
}

/// The start or the end of a connection.
func connectionNotified(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    slot: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, code: MHD_ConnectionNotificationCode
) {
    guard let context = unsafe context, let connection = unsafe connection, let slot = unsafe slot else { return }
    let core = unsafe Unmanaged<ServerCore>.fromOpaque(context).takeUnretainedValue()
    if cmhd_is_connection_start(code) != 0 {
        let address = unsafe cmhd_client_address(connection)
        let name = unsafe address.flatMap { unsafe NumericAddress($0) }
        let key = unsafe address.flatMap { unsafe PeerKey($0) }
        let descriptor = unsafe cmhd_connection_fd(connection)
        let tls = core.access.tls
        let state = core.connectionOpened(descriptor, from: name?.host ?? "", key, tls)
        if let tls, let session = unsafe cmhd_tls_session(connection), unsafe !tls.apply(to: session) {
            state.shutDown()
        }
        unsafe slot.pointee = Unmanaged.passRetained(state).toOpaque()
    } else if let opaque = unsafe slot.pointee {
        unsafe slot.pointee = nil
        core.connectionClosed(unsafe Unmanaged<Connection>.fromOpaque(opaque).takeRetainedValue())
    }
}

/// What the start of the connection has stored.
private func connectionState(_ connection: OpaquePointer) -> Connection? {
    unsafe cmhd_socket_context(connection).map { unsafe Unmanaged<Connection>.fromOpaque($0).takeUnretainedValue() }
}

private func readHead(
    _ connection: OpaquePointer, _ method: UnsafePointer<CChar>?, _ version: UnsafePointer<CChar>?,
    of exchange: Exchange
) -> RawHead {
    let methodText = unsafe method.map { unsafe String(cString: $0) } ?? ""
    let versionText = unsafe version.map { unsafe String(cString: $0) } ?? ""
    let layout = HeadLayout(
        method: (UInt(bitPattern: method), methodText.utf8.count),
        target: (exchange.targetPlace, exchange.target.count),
        version: (UInt(bitPattern: version), versionText.utf8.count))
    var lines = HeaderLines(layout: layout)
    unsafe withUnsafeMutablePointer(to: &lines) { pointer in
        unsafe cmhd_each_header(connection, headerRead, pointer)
    }
    lines.layout.end(size: unsafe cmhd_head_size(connection))
    return RawHead(
        method: methodText, target: exchange.target, version: versionText, headers: lines.headers,
        isExact: lines.layout.isExact, peerAddress: exchange.connection?.peerAddress ?? "")
}

/// What `headerRead` fills.
private struct HeaderLines {
    var headers = HTTPHeaders()
    var layout: HeadLayout
}

/// Called for each header line, within `readHead`, whose `lines` is the context.
private func headerRead(
    context: UnsafeMutableRawPointer?, kind: MHD_ValueKind, name: UnsafePointer<CChar>?, nameSize: Int,
    value: UnsafePointer<CChar>?, valueSize: Int
) -> MHD_Result {
    guard let lines = unsafe context?.assumingMemoryBound(to: HeaderLines.self) else { return .NO }
    let nameBytes = unsafe UnsafeRawBufferPointer(start: name, count: nameSize)
    let valueBytes = unsafe UnsafeRawBufferPointer(start: value, count: unsafe value == nil ? 0 : valueSize)
    unsafe lines.pointee.headers.append(
        name: String(decoding: nameBytes, as: UTF8.self), value: String(decoding: valueBytes, as: UTF8.self))
    unsafe lines.pointee.layout.line(
        name: (UInt(bitPattern: name), nameSize), value: (UInt(bitPattern: value), valueBytes.count))
    return .YES
}

/// Queues the answer, or a 500 in its place when libmicrohttpd does not take it (a header with a line break, say).
private func send(_ response: HTTPResponse, for exchange: Exchange, on connection: OpaquePointer) -> Bool {
    if unsafe queue(response, on: connection) {
        exchange.didQueue(response, status: response.status)
        return true
    }
    let instead = HTTPResponse.problem(500, "Internal Server Error", "the response of this handler cannot be sent")
    let isQueued = unsafe queue(instead, on: connection)
    exchange.didQueue(response, status: isQueued ? instead.status : nil)
    return isQueued
}

/// Hands a response over; false when libmicrohttpd would not take it.
private func queue(_ response: HTTPResponse, on connection: OpaquePointer) -> Bool {
    let made = unsafe response.body.withUnsafeBytes { body in
        unsafe cmhd_response_copying(body.baseAddress, body.count)
    }
    guard let made = unsafe made else { return false }
    // The queue holds a reference of its own; ours goes here.
    defer { unsafe MHD_destroy_response(made) }
    for (name, value) in response.headers {
        guard unsafe cmhd_add_header(made, name, value) != 0 else { return false }
    }
    return unsafe cmhd_queue(connection, UInt32(clamping: response.status), made) != 0
}
