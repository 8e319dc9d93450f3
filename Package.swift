// swift-tools-version:6.2
import PackageDescription

let package = Package(
    name: "mapwatch",
    products: [
        .library(name: "InstrumentedMaps", targets: ["InstrumentedMaps"]),
        .library(
            name: "MapwatchServer",
            targets: ["MapwatchServer", "Collectors", "HTTPServer", "Exposition", "AccidentIndicators"]),
        .library(name: "MapwatchMetrics", targets: ["MapwatchMetrics"]),
        // For a program that records its own maps, as the daemon does.
        .library(name: "FlightRecorder", targets: ["FlightRecorder"]),
        // What reads strangers' bytes in the daemon, for `Fuzzing/` alone.
        .library(name: "DaemonParsers", targets: ["ConfigurationFile", "DataDocuments"]),
        .executable(name: "mapwatch", targets: ["mapwatch"]),
    ],
    // `from` for those that the libraries link, so that an embedding service can resolve them together with its own;
    // the daemon's are exact, because a build of the daemon must not change by itself.
    dependencies: [
        // `RigidArray`: a run-time count of noncopyable shards without unsafe code.
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        // Commands, flags, `--help` and shell completions.
        .package(url: "https://github.com/apple/swift-argument-parser.git", exact: "1.8.2"),
        // The logging front end that embedding services already use; our back end prints logfmt or JSON.
        .package(url: "https://github.com/apple/swift-log.git", exact: "1.16.2"),
        // SIGTERM and SIGINT as a graceful shutdown, in the right order.
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        // The metrics front end that embedding services already use; `MapwatchMetrics` shows theirs beside the maps'.
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        // The YAML of `--config.file`, with line numbers for its errors.
        .package(url: "https://github.com/jpsim/Yams.git", exact: "6.2.2"),
        // The one format of a scrape that can carry native histograms.
        .package(url: "https://github.com/apple/swift-protobuf.git", exact: "1.39.0"),
    ],
    targets: [
        // C: what Swift cannot say.
        .systemLibrary(name: "CMicrohttpd", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CGnuTLS", pkgConfig: "gnutls", providers: [.apt(["libgnutls28-dev"])]),
        .systemLibrary(name: "CCrypt", pkgConfig: "libcrypt", providers: [.apt(["libcrypt-dev"])]),
        .target(name: "CSystem"),

        // Libraries, lowest layer first. None links libmicrohttpd (but HTTPServer) or Foundation.
        .target(name: "Instruments", dependencies: ["CSystem"]),
        .target(
            name: "InstrumentedMaps",
            dependencies: ["CSystem", "Instruments", .product(name: "BasicContainers", package: "swift-collections")]),
        .target(name: "AccidentIndicators", dependencies: ["InstrumentedMaps", "Instruments"]),
        .target(name: "FlightRecorder", dependencies: ["Instruments"]),
        .target(name: "Exposition"),
        .target(
            name: "Collectors", dependencies: ["Instruments", "InstrumentedMaps", "AccidentIndicators", "Exposition"]),
        .target(
            name: "Incidents",
            dependencies: ["Instruments", "InstrumentedMaps", "AccidentIndicators", "FlightRecorder", "Exposition"]),
        .target(name: "HTTPServer", dependencies: ["CMicrohttpd", "CGnuTLS", "CCrypt", "CZlib"]),
        // `/metrics` of a program with maps: the daemon's, and in five lines any other's.
        .target(
            name: "MapwatchServer",
            dependencies: [
                "Instruments", "InstrumentedMaps", "AccidentIndicators", "Exposition", "Collectors", "HTTPServer",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ]),
        // A back end for swift-metrics, in a product of its own: who has another one links nothing of it.
        .target(
            name: "MapwatchMetrics",
            dependencies: [
                "Instruments", "Exposition", "Collectors", .product(name: "CoreMetrics", package: "swift-metrics"),
            ]),
        .target(name: "Scenarios", dependencies: ["Instruments", "InstrumentedMaps", "AccidentIndicators"]),

        // The daemon. Yams brings Foundation, so it stays in a target that only the daemon links.
        .target(
            name: "ConfigurationFile",
            dependencies: ["InstrumentedMaps", "AccidentIndicators", .product(name: "Yams", package: "Yams")]),
        // `/metrics` as protobuf; the library brings Foundation, so likewise.
        .target(
            name: "ProtobufExposition",
            dependencies: ["Exposition", .product(name: "SwiftProtobuf", package: "swift-protobuf")],
            exclude: ["metrics.proto"]),
        // The JSON that the data API takes; decoded by Foundation, so likewise.
        .target(name: "DataDocuments", dependencies: ["InstrumentedMaps"]),
        .executableTarget(
            name: "mapwatch",
            dependencies: [
                "Instruments", "InstrumentedMaps", "AccidentIndicators", "Exposition", "Collectors", "HTTPServer",
                "MapwatchServer", "Scenarios", "FlightRecorder", "Incidents", "ConfigurationFile", "DataDocuments",
                "ProtobufExposition",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            // The status page, so that the program is one file.
            resources: ["charts.js", "icon.svg", "page.html", "status.css", "status.js"].map {
                .embedInCode("StatusPage/\($0)")
            }),

        // Tests.
        .target(name: "TestSupport", dependencies: ["Scenarios"], path: "Tests/TestSupport"),
        .testTarget(
            name: "MapwatchTests",
            dependencies: [
                "mapwatch", "AccidentIndicators", "Collectors", "ConfigurationFile", "DataDocuments", "Exposition",
                "HTTPServer", "InstrumentedMaps", "Instruments", "MapwatchServer", "Scenarios", "TestSupport",
            ]),
        .testTarget(name: "HTTPServerTests", dependencies: ["HTTPServer", "CZlib", "TestSupport"]),
        .testTarget(name: "TestSupportTests", dependencies: ["TestSupport"]),
        .testTarget(name: "InstrumentsTests", dependencies: ["Instruments", "TestSupport"]),
        .testTarget(
            name: "InstrumentedMapsTests", dependencies: ["InstrumentedMaps", "Instruments", "CSystem", "TestSupport"]),
        .testTarget(
            name: "FlightRecorderTests",
            dependencies: ["FlightRecorder", "InstrumentedMaps", "Instruments", "TestSupport"]),
        .testTarget(name: "ExpositionTests", dependencies: ["Exposition", "TestSupport"]),
        .testTarget(
            name: "ProtobufExpositionTests",
            dependencies: [
                "ProtobufExposition", "Exposition", "Collectors", "InstrumentedMaps", "Instruments",
                "AccidentIndicators", "TestSupport", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ]),
        .testTarget(
            name: "AccidentIndicatorsTests", dependencies: ["AccidentIndicators", "InstrumentedMaps", "TestSupport"]),
        .testTarget(
            name: "IncidentsTests",
            dependencies: [
                "Incidents", "AccidentIndicators", "FlightRecorder", "InstrumentedMaps", "Instruments", "TestSupport",
            ]),
        .testTarget(
            name: "CollectorsTests",
            dependencies: [
                "Collectors", "Instruments", "InstrumentedMaps", "AccidentIndicators", "Exposition", "TestSupport",
            ]),
        .testTarget(
            name: "MapwatchServerTests",
            dependencies: [
                "MapwatchServer", "MapwatchMetrics", "Collectors", "Exposition", "HTTPServer", "InstrumentedMaps",
                "TestSupport",
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ]),
        .testTarget(name: "ScenariosTests", dependencies: ["Scenarios", "InstrumentedMaps", "TestSupport"]),
        // Runs under the sanitizers: `Tests/RaceProbe/run.sh`.
        .executableTarget(
            name: "race-probe", dependencies: ["FlightRecorder", "InstrumentedMaps", "Instruments", "Scenarios"],
            path: "Tests/RaceProbe",
            exclude: ["run.sh"]),
        // Histories of operations, and whether they are linearizable; knows no map.
        .target(name: "Linearizability", path: "Tests/Linearizability"),
        .target(
            name: "LinearWorkload",
            dependencies: ["Linearizability", "InstrumentedMaps", "Instruments", "TestSupport"],
            path: "Tests/LinearWorkload"),
        .testTarget(
            name: "LinearizabilityTests",
            dependencies: ["Linearizability", "LinearWorkload", "InstrumentedMaps", "TestSupport"]),
        // The same workload for as long as one likes, and with planted faults: `Tests/LinearProbe/planted.sh`.
        .executableTarget(
            name: "linear-probe", dependencies: ["LinearWorkload", "Linearizability", "InstrumentedMaps"],
            path: "Tests/LinearProbe", exclude: ["planted.sh"]),
        // What the engine promises of single operations, at the sizes where it would show: `make engine`.
        .executableTarget(
            name: "engine-probe", dependencies: ["InstrumentedMaps", "Instruments", "TestSupport"],
            path: "Tests/EngineProbe"),
        // Runs the real binary, so it depends on it being built.
        .testTarget(name: "EndToEndTests", dependencies: ["mapwatch", "FlightRecorder", "TestSupport"]),
    ]
)

// One set of strict settings for everything that is ours.
for target in package.targets where target.type != .system && target.type != .plugin {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .treatAllWarnings(as: .error),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    ]
    target.cSettings = [.treatAllWarnings(as: .error)]
}
