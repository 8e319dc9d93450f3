// swift-tools-version:6.2
import PackageDescription

// A package of its own, because all of it, the parsers of mapwatch included, is built with libFuzzer's flags: `run.sh`.
let package = Package(
    name: "mapwatch-fuzzing",
    dependencies: [.package(name: "mapwatch", path: "..")],
    targets: [
        // libFuzzer's entry point; the library itself comes with the toolchain.
        .systemLibrary(name: "CFuzzer"),
        .executableTarget(
            name: "fuzz",
            dependencies: [
                "CFuzzer",
                .product(name: "InstrumentedMaps", package: "mapwatch"),
                .product(name: "MapwatchServer", package: "mapwatch"),
                .product(name: "DaemonParsers", package: "mapwatch"),
            ]),
    ]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ]
}
