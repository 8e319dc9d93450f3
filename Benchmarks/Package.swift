// swift-tools-version:6.2
import PackageDescription

// A package of its own, so that whoever builds mapwatch builds no benchmark.
let package = Package(
    name: "mapwatch-benchmarks",
    dependencies: [.package(name: "mapwatch", path: "..")],
    targets: [
        // What every benchmark needs: keys, operations, threads, statistics. Knows no map.
        .target(name: "Workloads"),
        .executableTarget(
            name: "ShardSweep",
            dependencies: ["Workloads", .product(name: "InstrumentedMaps", package: "mapwatch")]),
    ]
)

for target in package.targets {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
}
