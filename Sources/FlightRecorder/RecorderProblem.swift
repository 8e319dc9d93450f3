import Glibc

/// What is wrong with a recording or its place: one line for the operator, with the path and the way out.
public enum RecorderProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// A step on the way to a recording that the system has refused.
    case system(step: String, path: String, errorNumber: Int32)
    /// Another process records here.
    case inUse(directory: String)
    case foreign(path: String)
    case otherVersion(path: String, version: UInt64)
    case damagedHeader(path: String)
    case wrongSize(path: String, bytes: Int, expected: Int)
    /// The rest was read.
    case damagedEntries(path: String, count: Int)
    /// A file that could not be read was put out of the way.
    case putAside(path: String, to: String)
    /// Nothing was left of the rings' room for this map.
    case full(map: String, shards: Int, left: Int, rings: Int)

    public var description: String {
        switch self {
        case .system(let step, let path, let number):
            "cannot \(step) \(path): \(unsafe String(cString: strerror(number)).lowercased()) (errno \(number))"
        case .inUse(let directory):
            "another process records in \(directory); give each its own --storage.path"
        case .foreign(let path): "\(path) is no recording of mapwatch"
        case .otherVersion(let path, let version):
            "\(path) was recorded in version \(version), and this release reads version \(RecordingLayout.version)"
        case .damagedHeader(let path): "the header of \(path) is damaged"
        case .wrongSize(let path, let bytes, let expected):
            "\(path) has \(bytes) bytes, and its header says \(expected): it was cut short or written to by others"
        case .damagedEntries(let path, let count):
            "\(count) map\(count == 1 ? "" : "s") in \(path) cannot be read: the entry is damaged"
        case .putAside(let path, let aside): "moved \(path) to \(aside)"
        case .full(let map, let shards, let left, let rings):
            "map \"\(map)\" is not recorded: it needs \(shards) ring\(shards == 1 ? "" : "s"), and \(left) of "
                + "\(rings) are left in one piece; drop a map or give it fewer shards"
        }
    }
}
