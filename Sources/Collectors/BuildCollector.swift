public import Exposition

/// Which mapwatch this is.
public struct BuildCollector: Collector {
    public let name = "build"
    private let version: String

    public init(version: String) { self.version = version }

    public func collect(_ scrape: Scrape) -> [MetricFamily] {
        [
            MetricFamily(
                "mapwatch_build_info", .gauge, help: "1; the labels say which version of mapwatch this is.",
                samples: [
                    MetricSample(
                        LabelSet(["version": version, "swift_version": BuildCollector.swiftVersion]), .count(1))
                ])
        ]
    }

    private static var swiftVersion: String {
        #if compiler(>=6.4)
        "6.4 or later"
        #elseif compiler(>=6.3)
        "6.3"
        #else
        "6.2"
        #endif
    }
}
