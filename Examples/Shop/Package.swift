// swift-tools-version:6.2
import PackageDescription

// A service as it would be written outside of this repository, except for the path.
let package = Package(
    name: "shop",
    dependencies: [
        .package(name: "mapwatch", path: "../.."),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        .executableTarget(
            name: "Shop",
            dependencies: [
                .product(name: "InstrumentedMaps", package: "mapwatch"),
                .product(name: "MapwatchServer", package: "mapwatch"),
                .product(name: "MapwatchMetrics", package: "mapwatch"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
    ]
)
