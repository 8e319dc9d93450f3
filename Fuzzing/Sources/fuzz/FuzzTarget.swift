import Glibc

/// What can be fuzzed: each reader of bytes that strangers send, or that a person writes.
enum FuzzTarget: String, CaseIterable {
    case requestTarget = "request-target"
    case accept
    case batch
    case configuration
    case webConfiguration = "web-configuration"

    /// The one that `FUZZ_TARGET` names.
    static let chosen: FuzzTarget? = {
        // Safety: no thread has been started that could change the environment; the text is copied.
        guard let name = unsafe getenv("FUZZ_TARGET") else { return nil }
        return FuzzTarget(rawValue: unsafe String(cString: name))
    }()

    /// Gives the bytes to the reader and checks what it must keep to.
    func check(_ input: [UInt8]) {
        switch self {
        case .requestTarget: checkRequestTarget(input)
        case .accept: checkAccept(input)
        case .batch: checkBatch(input)
        case .configuration: checkConfiguration(input)
        case .webConfiguration: checkWebConfiguration(input)
        }
    }
}
