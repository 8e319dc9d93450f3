// swift-tools-version:6.2
import PackageDescription

// A package of its own, so that whoever builds mapwatch builds no benchmark.
let package = Package(
    name: "mapwatch-benchmarks",
    dependencies: [
        .package(name: "mapwatch", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
    ],
    targets: [
        // oneTBB and std::unordered_map behind plain C; needs Debian's libtbb-dev.
        .target(name: "CPeers", linkerSettings: [.linkedLibrary("tbb")]),
        // What every benchmark needs: keys, operations, threads, statistics. Knows no map.
        .target(name: "Workloads"),
        .executableTarget(
            name: "MapBench",
            dependencies: [
                "CPeers", "Workloads",
                .product(name: "InstrumentedMaps", package: "mapwatch"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        // Built twice, the second time with -D MAPWATCH_NO_COUNTERS: see the Makefile.
        .executableTarget(
            name: "CounterCost",
            dependencies: ["Workloads", .product(name: "InstrumentedMaps", package: "mapwatch")]),
        .executableTarget(
            name: "RecorderCost",
            dependencies: [
                "Workloads",
                .product(name: "InstrumentedMaps", package: "mapwatch"),
                .product(name: "FlightRecorder", package: "mapwatch"),
            ]),
        .executableTarget(
            name: "SamplerCost",
            dependencies: [
                "Workloads",
                .product(name: "InstrumentedMaps", package: "mapwatch"),
                .product(name: "MapwatchServer", package: "mapwatch"),
            ]),
        .executableTarget(
            name: "ScrapeBench",
            dependencies: [
                "Workloads",
                .product(name: "InstrumentedMaps", package: "mapwatch"),
                .product(name: "MapwatchServer", package: "mapwatch"),
            ]),
        .executableTarget(
            name: "ShardSweep",
            dependencies: ["Workloads", .product(name: "InstrumentedMaps", package: "mapwatch")]),
    ],
    cxxLanguageStandard: .cxx20
)

for target in package.targets {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
    target.cxxSettings = [.treatAllWarnings(as: .error)]
}
