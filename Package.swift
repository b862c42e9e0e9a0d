// swift-tools-version: 6.2
import PackageDescription

/// Every Swift target is compiled alike: Swift 6 language mode (the tools version's default) and no warning left.
let common: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Executables carry the Swift runtime, so that a production machine needs no Swift.
///
/// The libraries are what Foundation's static archives want and nothing names when only a dependency imports Foundation.
let selfContained: [LinkerSetting] = [
    .unsafeFlags(["-static-stdlib"]), .linkedLibrary("_FoundationCShims"), .linkedLibrary("_FoundationCollections"),
    .linkedLibrary("swiftSynchronization"),
]

/// The operator's command reads YAML, and Yams imports all of Foundation.
let selfContainedFoundation: [LinkerSetting] =
    selfContained + [
        .linkedLibrary("FoundationInternationalization"), .linkedLibrary("CoreFoundation"),
        .linkedLibrary("_FoundationICU"),
        .linkedLibrary("swiftDispatch"), .linkedLibrary("dispatch"), .linkedLibrary("BlocksRuntime"),
        .linkedLibrary("stdc++"),
    ]

/// PID 1 of a sandbox is Embedded Swift in a fully static executable: it runs in a root that may hold no library at all.
let embedded: [SwiftSetting] = [
    .enableExperimentalFeature("Embedded"), .enableExperimentalFeature("Extern"),
    .unsafeFlags(["-wmo", "-no-static-stdlib"]),
]

let argumentParser: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: common)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: common, linkerSettings: selfContained)
}

/// Optimising the large bundles takes as long again as compiling them, and what they do themselves is to wait for others.
func tests(
    _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = [], isOptimised: Bool = true
) -> Target {
    .testTarget(
        name: name, dependencies: dependencies, exclude: exclude,
        swiftSettings: common + (isOptimised ? [] : [.unsafeFlags(["-Onone"])]))
}

let package = Package(
    name: "soulbox",
    products: [
        .executable(name: "soulbox", targets: ["soulbox"]),
        .executable(name: "soulbox-worker", targets: ["soulbox-worker"]),
        .executable(name: "soulbox-gateway", targets: ["soulbox-gateway"]),
        .executable(name: "soulbox-scheduler", targets: ["soulbox-scheduler"]),
        .executable(name: "soulbox-isolator", targets: ["soulbox-isolator"]),
        .executable(name: "soulbox-egress", targets: ["soulbox-egress"]),
        .executable(name: "soulbox-init", targets: ["soulbox-init"]),
        .library(name: "soulbox-zygote", type: .dynamic, targets: ["CZygote"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // The C libraries, each met in exactly one Swift module.
        .systemLibrary(name: "CFastCGI", pkgConfig: "fcgi", providers: [.apt(["libfcgi-dev"])]),
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CSeccomp", pkgConfig: "libseccomp", providers: [.apt(["libseccomp-dev"])]),
        .systemLibrary(name: "CCapability", pkgConfig: "libcap", providers: [.apt(["libcap-dev"])]),
        .target(name: "CProgram"),
        .target(name: "CLinux", dependencies: ["CProgram"]),
        .target(name: "CInit", dependencies: ["CProgram"]),
        // Loaded by interpreters in images: it needs nothing but their libc, and none of Swift's libraries.
        .target(
            name: "CZygote", dependencies: ["CProgram"],
            linkerSettings: [
                .unsafeFlags([
                    "-enable-experimental-feature", "Embedded", "-wmo", "-no-static-stdlib", "-nostartfiles",
                ])
            ]),

        // Values and the kernel.
        library("SoulBoxModel", []),
        library("LinuxKernel", ["CLinux"]),
        library("LinuxSecurity", ["LinuxKernel", "CSeccomp", "CCapability"]),

        // The isolation service and its protocol.
        .target(
            name: "IsolationProtocol", dependencies: ["SoulBoxModel", "LinuxKernel"],
            exclude: ["io.soulbox.isolation.varlink"], swiftSettings: common),
        library("Isolation", ["IsolationProtocol", "LinuxKernel", "LinuxSecurity", "SoulBoxModel", logging, crypto]),

        library(
            "SoulBoxEgress",
            [
                "IsolationProtocol", "LinuxKernel", "SoulBoxModel", logging,
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ]),

        // The API's side.
        library("Archives", ["CZlib"]),
        library("FastCGI", ["CFastCGI", "LinuxKernel"]),
        library("Postgres", ["CPostgres", "LinuxKernel"]),
        library("SoulBoxStore", ["Postgres", "SoulBoxModel"]),
        library("SoulBoxKeys", ["SoulBoxStore", "SoulBoxModel", crypto]),
        library("SoulBoxService", ["SoulBoxModel", "LinuxKernel", logging]),
        library("SoulBoxMetrics", ["SoulBoxModel", "LinuxKernel"]),
        library(
            "SoulBoxExecution",
            ["SoulBoxStore", "SoulBoxMetrics", "IsolationProtocol", "SoulBoxModel", "LinuxKernel", logging]),
        library(
            "SoulBoxAPI",
            [
                "SoulBoxExecution", "SoulBoxKeys", "SoulBoxMetrics", "SoulBoxService", "SoulBoxStore", "Postgres",
                "IsolationProtocol", "SoulBoxModel", "LinuxKernel", "Archives", logging, crypto,
                .product(name: "JWTKit", package: "jwt-kit"),
            ]),
        library(
            "SoulBoxGateway",
            [
                "SoulBoxAPI", "SoulBoxExecution", "SoulBoxMetrics", "SoulBoxStore", "IsolationProtocol",
                "SoulBoxModel", "LinuxKernel", logging, .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOWebSocket", package: "swift-nio"),
            ]),
        library(
            "SoulBoxScheduler",
            [
                "SoulBoxExecution", "SoulBoxKeys", "SoulBoxMetrics", "SoulBoxStore", "Postgres", "IsolationProtocol",
                "SoulBoxModel",
                "LinuxKernel", logging,
            ]),
        library(
            "SoulBoxImages",
            [
                "SoulBoxModel", "LinuxKernel", crypto, .product(name: "Yams", package: "Yams"),
            ]),
        library(
            "SoulBoxCommands",
            [
                "SoulBoxImages", "SoulBoxKeys", "SoulBoxService", "SoulBoxStore", "Postgres", "IsolationProtocol",
                "SoulBoxModel",
                "LinuxKernel", argumentParser, logging, crypto, .product(name: "Yams", package: "Yams"),
            ]),

        .executableTarget(
            name: "soulbox", dependencies: ["SoulBoxCommands", argumentParser], swiftSettings: common,
            linkerSettings: selfContainedFoundation),
        executable(
            "soulbox-worker",
            [
                "SoulBoxAPI", "SoulBoxExecution", "FastCGI", "IsolationProtocol", "LinuxKernel", "Postgres",
                "SoulBoxMetrics", "SoulBoxModel",
                "SoulBoxService", "SoulBoxStore", logging,
            ]),
        executable(
            "soulbox-gateway",
            [
                "SoulBoxGateway", "SoulBoxAPI", "SoulBoxExecution", "IsolationProtocol", "LinuxKernel", "Postgres",
                "SoulBoxMetrics", "SoulBoxService", "SoulBoxStore", logging,
            ]),
        executable(
            "soulbox-scheduler",
            [
                "SoulBoxScheduler", "SoulBoxExecution", "SoulBoxKeys", "IsolationProtocol", "LinuxKernel", "Postgres",
                "SoulBoxMetrics", "SoulBoxService", "SoulBoxStore",
                logging,
            ]),
        executable("soulbox-isolator", ["Isolation", "SoulBoxService", logging]),
        executable("soulbox-egress", ["SoulBoxEgress", "SoulBoxService", logging]),
        .executableTarget(
            name: "soulbox-init", dependencies: ["CInit", "CProgram"], swiftSettings: embedded,
            linkerSettings: [.unsafeFlags(["-Xclang-linker", "-static"])]),

        tests("ArchivesTests", ["Archives"]),
        tests("SoulBoxModelTests", ["SoulBoxModel"]),
        tests("SoulBoxMetricsTests", ["SoulBoxMetrics", "SoulBoxModel", "LinuxKernel", "TestProcess"]),
        tests("LinuxKernelTests", ["LinuxKernel", "TestProcess"]),
        tests("LinuxSecurityTests", ["LinuxSecurity", "LinuxKernel"]),
        tests("IsolationProtocolTests", ["IsolationProtocol", "SoulBoxModel", "LinuxKernel"]),
        tests(
            "IsolationTests",
            [
                "Isolation", "IsolationProtocol", "LinuxSecurity", "LinuxKernel", "SoulBoxModel", "TestProcess",
                "TestWorld", logging,
            ], exclude: ["Programs/python", "Programs/nodejs"], isOptimised: false),
        tests(
            "SoulBoxGatewayTests",
            [
                "SoulBoxGateway", "SoulBoxStore", .product(name: "Yams", package: "Yams"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOWebSocket", package: "swift-nio"),
            ]),
        tests("SoulBoxEgressTests", ["SoulBoxEgress", "IsolationProtocol", "LinuxKernel", "SoulBoxModel", logging]),
        tests("FastCGITests", ["FastCGI", "LinuxKernel"]),
        .target(
            name: "TestProcess", dependencies: ["LinuxKernel"], path: "Tests/TestProcess", swiftSettings: common),
        .target(
            name: "TestWorld", dependencies: ["LinuxKernel", "TestProcess"], path: "Tests/TestWorld",
            exclude: ["world.py"], swiftSettings: common),
        .target(
            name: "TestDatabase", dependencies: ["Postgres", "LinuxKernel", "TestProcess"], path: "Tests/TestDatabase",
            swiftSettings: common),
        tests("PostgresTests", ["Postgres", "LinuxKernel", "TestDatabase"]),
        tests(
            "SoulBoxStoreTests", ["SoulBoxStore", "Postgres", "SoulBoxModel", "LinuxKernel", "TestDatabase"],
            isOptimised: false),
        tests(
            "SoulBoxExecutionTests",
            [
                "SoulBoxExecution", "SoulBoxStore", "IsolationProtocol", "SoulBoxModel", "LinuxKernel", logging,
            ]),
        tests(
            "SoulBoxAPITests",
            [
                "SoulBoxAPI", "SoulBoxExecution", "SoulBoxKeys", "SoulBoxStore", "Postgres", "IsolationProtocol",
                "SoulBoxModel",
                logging,
                crypto,
                .product(name: "Yams", package: "Yams"),
            ], isOptimised: false),
        tests("SoulBoxSchedulerTests", ["SoulBoxScheduler", "SoulBoxKeys", "SoulBoxStore", "SoulBoxModel"]),
        tests(
            "SoulBoxImagesTests", ["SoulBoxImages", "SoulBoxModel", "LinuxKernel", crypto], isOptimised: false),
        tests(
            "SoulBoxCommandsTests",
            [
                "SoulBoxCommands", "SoulBoxKeys", "SoulBoxService", "SoulBoxModel",
                .product(name: "Yams", package: "Yams"),
            ]),
        // Not on the executables themselves: their static runtime would be linked into the test bundle. The one build
        // that serves all makes them.
        tests(
            "IntegrationTests",
            [
                "SoulBoxModel", "LinuxKernel", "IsolationProtocol", "SoulBoxService", "TestDatabase", "TestProcess",
                "TestWorld",
                crypto,
            ], exclude: ["Live/clients"], isOptimised: false),
    ]
)
