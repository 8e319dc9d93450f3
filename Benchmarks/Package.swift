// swift-tools-version:6.2
import PackageDescription

// A package of its own, so that whoever builds mapwatch builds no benchmark.
let package = Package(
    name: "mapwatch-benchmarks",
    dependencies: [.package(name: "mapwatch", path: "..")],
    targets: [
        .executableTarget(
            name: "ShardSweep",
            dependencies: [.product(name: "InstrumentedMaps", package: "mapwatch")],
            swiftSettings: [.swiftLanguageMode(.v6), .treatAllWarnings(as: .error)])
    ]
)
