// swift-tools-version: 6.1
import Glibc
import PackageDescription

// Debug builds of the C kernels are slow; `swift build -Xcc -O3` optimises them there too.

let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")

func library(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .target(name: name, dependencies: dependencies)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency] = [], exclude: [String] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.init(stringLiteral: name), "TestSupport"] + dependencies,
    exclude: exclude)
}

/// A program in `Examples/`: the command line with something of its own.
func example(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: ["LatheCommand"] + dependencies, path: "Examples/\(name)")
}

/// The MPI library as `launch/mpi` finds it, for pkg-config: a name, or the path of a .pc file.
/// `LATHE_MPI` chooses one.
let mpi: String = {
  setenv("LATHE_PACKAGE", Context.packageDirectory, 1)
  guard let answer = popen("sh \"$LATHE_PACKAGE/launch/mpi\" 2>&-", "r") else { return "mpi-c" }
  defer { pclose(answer) }
  var line = [CChar](repeating: 0, count: 4096)
  guard fgets(&line, Int32(line.count), answer) != nil else { return "mpi-c" }
  let bytes = line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(truncatingIfNeeded: $0) }
  return String(decoding: bytes, as: UTF8.self)
}()

/// The libraries, each of which may import those before it.
let libraries: [Target] = [
  library("LatheFiles", ["CZlib", system]),
  library("LatheKernels", ["CKernels", "COpenBLAS", "LatheFiles"]),
  library("LatheTensors", ["LatheFiles", "LatheKernels"]),
  library("LatheNN", ["LatheFiles", "LatheKernels", "LatheTensors"]),
  library(
    "LatheData",
    ["CZlib", "CPictures", "CTurboJPEG", "LatheFiles", "LatheKernels", "LatheNN", system]),
  library("LatheModels", ["LatheFiles", "LatheKernels", "LatheTensors", "LatheNN"]),
  library(
    "LatheMetrics",
    [
      "COpenBLAS", "CWeights", "LatheFiles", "LatheKernels", "LatheTensors", "LatheNN", "LatheData",
      system,
    ]),
  library(
    "LatheDistributed",
    [
      "CListen", "CMPI", "LatheFiles", "LatheKernels", "LatheTensors", "LatheNN", "LatheModels",
      system,
    ]),
  library(
    "LatheTraining",
    [
      "BuildCommit", "LatheFiles", "LatheKernels", "LatheTensors", "LatheNN", "LatheData",
      "LatheModels",
      "LatheMetrics", "LatheDistributed", system,
    ]),
  library("LatheExport", ["LatheFiles", "LatheKernels", "LatheTensors", "LatheNN", "LatheModels"]),
  library("LatheReports", ["CPNG", "LatheFiles", system]),
  library(
    "LatheCommand",
    [
      "LatheFiles", "LatheKernels", "LatheTensors", "LatheNN", "LatheData", "LatheModels",
      "LatheMetrics", "LatheDistributed", "LatheTraining", "LatheExport", "LatheReports", "Yams",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      system,
    ]),
]

let package = Package(
  name: "lathe",
  products: [
    .executable(name: "lathe", targets: ["lathe"]),
    .library(name: "lathe-listen", type: .dynamic, targets: ["CListen"]),
  ] + libraries.map { .library(name: $0.name, targets: [$0.name]) },
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-system", exact: "1.8.1"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    .systemLibrary(name: "CMPI", pkgConfig: mpi, providers: [.apt(["libopenmpi-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
      name: "CTurboJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"])]),
    .target(name: "CKernels"),
    .target(name: "CListen"),
    .target(name: "CPictures", dependencies: ["CPNG"]),
    .plugin(name: "CommitWriter", capability: .buildTool()),
    .target(
      name: "BuildCommit", exclude: ["commit.sh", "commit.txt"], plugins: ["CommitWriter"]),
    .target(
      name: "CWeights",
      exclude: ["classifier-grey.safetensors", "classifier-colour.safetensors"]),
  ] + libraries + [
    .executableTarget(name: "lathe", dependencies: ["LatheCommand"]),

    example("OwnModel", ["LatheModels", "LatheNN", "LatheTensors"]),
    example("OwnNetworks", ["LatheModels", "LatheNN", "LatheTensors"]),
    example("OwnData", ["LatheData", "LatheNN"]),
    example("TrainedRun", ["LatheData", "LatheReports", "LatheTensors", "LatheTraining"]),

    .target(
      name: "TestSupport", dependencies: ["LatheTensors", "LatheFiles", system],
      path: "Tests/TestSupport"),
    .executableTarget(
      name: "DistributedChecks",
      dependencies: [
        "LatheDistributed", "LatheTensors", "LatheNN", "LatheData", "LatheModels", "LatheTraining",
      ], path: "Tests/DistributedChecks"),
    .executableTarget(
      name: "FaultyLathe", dependencies: ["LatheCommand", "LatheFiles", "LatheTraining"],
      path: "Tests/FaultyLathe"),
    .testTarget(name: "StructureTests"),
    tests("LatheFiles"),
    tests("LatheKernels"),
    tests("LatheTensors", ["LatheKernels"]),
    tests("LatheNN", ["LatheFiles", "LatheTensors"]),
    tests("LatheData", ["LatheReports", "CTurboJPEG"]),
    tests(
      "LatheModels", ["LatheTensors", "LatheNN", "LatheData"], exclude: ["Golden", "Mixture"]),
    tests("LatheMetrics", ["LatheData", "LatheFiles"], exclude: ["Golden"]),
    tests("LatheTraining", ["LatheData", "LatheFiles", "LatheModels", "LatheNN"]),
    tests("LatheExport", ["LatheFiles", "LatheTensors", "LatheNN", "LatheModels"]),
    tests("LatheReports", ["LatheFiles"]),
    tests(
      "LatheCommand",
      [
        "LatheData", "LatheFiles", "LatheNN", "LatheTraining",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .testTarget(
      name: "DistributedTests",
      dependencies: [
        "LatheFiles", "LatheDistributed", "LatheModels", "LatheReports", "LatheTraining",
        "TestSupport", "DistributedChecks", "FaultyLathe", "lathe", "OwnModel", "OwnNetworks",
        "OwnData", "TrainedRun", "LatheTensors",
      ]),
  ],
  swiftLanguageModes: [.v6]
)
