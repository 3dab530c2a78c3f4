// swift-tools-version: 6.1
import PackageDescription

// Kernels stay optimised in debug builds, so that the tests are bearable there too.
let optimised: [CSetting] = [.unsafeFlags(["-O3"], .when(configuration: .debug))]

let package = Package(
  name: "lathe",
  products: [.executable(name: "lathe", targets: ["lathe"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CMPI", pkgConfig: "mpi-c", providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .target(name: "CKernels", cSettings: optimised),
    .target(
      name: "CWeights",
      exclude: ["classifier-grey.safetensors", "classifier-colour.safetensors"]),

    .target(name: "Kernels", dependencies: ["CKernels", "COpenBLAS"]),
    .target(name: "Tensors", dependencies: ["Kernels"]),
    .target(name: "Layers", dependencies: ["Kernels", "Tensors"]),
    .target(name: "Optimizers", dependencies: ["Kernels", "Tensors", "Layers"]),
    .target(
      name: "Datasets",
      dependencies: [
        "CZlib", "CPNG", "CTurboJPEG", .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .target(
      name: "Models", dependencies: ["Kernels", "Tensors", "Layers", "Optimizers", "Datasets"]),
    .target(
      name: "Checkpoints",
      dependencies: ["CZlib", .product(name: "SystemPackage", package: "swift-system")]),
    .target(
      name: "Metrics",
      dependencies: [
        "COpenBLAS", "CWeights", "Kernels", "Tensors", "Layers", "Optimizers", "Datasets",
        "Checkpoints", .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .target(name: "Communication", dependencies: ["CMPI"]),
    .target(
      name: "Training",
      dependencies: [
        "Kernels", "Tensors", "Layers", "Optimizers", "Datasets", "Models", "Metrics",
        "Checkpoints", "Communication", .product(name: "SystemPackage", package: "swift-system"),
      ]),
    .target(
      name: "Reports",
      dependencies: ["CPNG", .product(name: "SystemPackage", package: "swift-system")]),
    .executableTarget(
      name: "lathe",
      dependencies: [
        "Kernels", "Tensors", "Layers", "Datasets", "Models", "Metrics", "Checkpoints",
        "Communication", "Training", "Reports", "Yams",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "SystemPackage", package: "swift-system"),
      ]),

    .target(
      name: "TestSupport",
      dependencies: [
        "Tensors", "Checkpoints", .product(name: "SystemPackage", package: "swift-system"),
      ], path: "Tests/TestSupport"),
    .executableTarget(
      name: "DistributedChecks",
      dependencies: [
        "Communication", "Tensors", "Layers", "Optimizers", "Datasets", "Models", "Training",
      ], path: "Tests/DistributedChecks"),
    .testTarget(name: "KernelsTests", dependencies: ["Kernels", "TestSupport"]),
    .testTarget(name: "TensorsTests", dependencies: ["Kernels", "Tensors", "TestSupport"]),
    .testTarget(name: "LayersTests", dependencies: ["Tensors", "Layers", "TestSupport"]),
    .testTarget(
      name: "OptimizersTests", dependencies: ["Tensors", "Layers", "Optimizers", "TestSupport"]),
    .testTarget(
      name: "DatasetsTests",
      dependencies: ["Datasets", "Reports", "CTurboJPEG", "TestSupport"]),
    .testTarget(
      name: "ModelsTests",
      dependencies: ["Tensors", "Layers", "Optimizers", "Datasets", "Models", "TestSupport"],
      exclude: ["Golden", "Mixture"]),
    .testTarget(name: "CheckpointsTests", dependencies: ["Checkpoints", "TestSupport"]),
    .testTarget(
      name: "MetricsTests", dependencies: ["Metrics", "TestSupport", "Datasets", "Checkpoints"],
      exclude: ["Golden"]),
    .testTarget(name: "ReportsTests", dependencies: ["Reports", "TestSupport"]),
    .testTarget(
      name: "DistributedTests",
      dependencies: [
        "Checkpoints", "Communication", "Models", "Reports", "Training", "TestSupport",
        "DistributedChecks", "lathe",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
