import Foundation
import LatheFiles
import LatheReports
import SystemPackage
import TestSupport
import Testing

/// One fault has one exit status and says the same, on one rank and on two.
@Suite struct StatusTests {
  struct Fault: Sendable, CustomTestStringConvertible {
    let arguments: [String]
    let status: Int32
    let message: String

    init(_ arguments: String..., status: Int32, _ message: String) {
      (self.arguments, self.status, self.message) = (arguments, status, message)
    }

    var testDescription: String { arguments.joined(separator: " ") }
  }

  /// Names that begin with @ lie in the folder that `makeInput` fills.
  static let faults = [
    Fault("fid", "@four.npz", "@six.npz", status: 65, "four.npz has 4, "),
    Fault("fid", "@nan.npz", "@four.npz", status: 65, "nan at [1]"),
    Fault("fid", "@sizes", "@good", "--features", "pixels", status: 65, "12 rows of 12"),
    Fault("fid", "@damaged", "@good", "--features", "pixels", status: 65, "03.png"),
    Fault("fid", "@one", "@good", "--features", "pixels", status: 65, "at least 2 images"),
    Fault("fid", "@good", "@nowhere", status: 66, "nowhere"),
    Fault("fid", "@good", "@empty", status: 66, "pictures"),
    Fault("fid", "@good", "@good", "--features", "inception:@no", status: 66, "No such file"),
    Fault("fid", "@good", "@good", "--features", "inception:@lfs", status: 65, "Git LFS"),
    Fault("fid", "@good", "@good", "--features", "classifier:@text", status: 65, "length"),
    Fault("fid", "@good", "--save", "/proc/a.npz", status: 73, "/proc"),
    Fault("fid", "@good", "--save", "@good/", status: 64, "found the folder"),
    Fault("fid", "@good", "@good", "--bogus", status: 64, "--bogus"),
    Fault("fid", "@good", "@good", "--dims", "64", status: 64, "--dims"),
    Fault("evaluate", "@run", "--samples", "6", "--metrics", "prd,error", status: 65, "prd"),
    Fault("evaluate", "@run", "--out", "/proc/e.json", status: 73, "/proc"),
    Fault("evaluate", "@good", status: 66, "no run and no checkpoint"),
    Fault("latent", "@run", status: 65, "t-SNE"),
    Fault("reconstruct", "@run", "--first", "4", status: 64, "--first"),
    Fault("interpolate", "@run", "--first", "3", status: 65, "at least 2 test images"),
    Fault("sample", "@run", "--by-class", status: 64, "--conditional"),
    Fault(
      "data", "show", "folder", "--data", "@good", "--size", "8", "--first", "40", status: 64,
      "--first 40"),
    Fault("train", "vae", "folder", "--data", "@damaged", "--size", "8", status: 65, "03.png"),
    Fault(
      "train", "ae", "synthetic8", "--networks", "mlp", "--evaluate-every", "2", "--features",
      "classifier", status: 64, "measured themselves"),
    Fault("train", "vae", "mnist", "--data", "@idx", status: 65, "magic number"),
    Fault("train", "vae", "celeba", "--data", "@good", status: 66, "img_align_celeba"),
    Fault("features", "extract", "mnist", "--data", "@idx", "--out", "@f", status: 65, "magic"),
  ]

  @Test func oneFaultHasOneStatusOnAnyRanks() throws {
    try withFolder { folder in
      try makeInput(in: folder)
      for fault in Self.faults {
        let arguments = fault.arguments.map { $0.replacing("@", with: folder + "/") }
        let environment = ["LATHE_CACHE": folder + "/cache"]
        let alone = try runProcess(
          try builtExecutable("lathe"), arguments, environment: environment, timeout: 60)
        let ranked = try answered {
          try mpirunResult(2, "lathe", arguments, environment: environment, timeout: 60)
        }
        for result in [alone, ranked] {
          #expect(result.status == fault.status, "\(fault.arguments): \(result)")
          #expect(result.errorOutput.contains(fault.message), "\(fault.arguments): \(result)")
        }
      }
    }
  }

  /// On a busy machine the mpirun of Open MPI 4 sometimes crashes when all ranks have ended. Then
  /// the job is run once more.
  private func answered(_ job: () throws -> ProcessResult) throws -> ProcessResult {
    let result = try job()
    let hasCrashed = result.status == 139 && result.errorOutput.contains("PMIx_server_finalize")
    return hasCrashed ? try job() : result
  }

  /// Four test pictures: what can be done with them is, on any number of ranks.
  @Test func fewPicturesAreEnoughForMost() throws {
    try withFolder { folder in
      try makeInput(in: folder)
      func lathe(_ arguments: String...) throws -> ProcessResult {
        try runProcess(try builtExecutable("lathe"), arguments, timeout: 120)
      }
      let run = folder + "/run"
      let pairs = try lathe("reconstruct", run)
      #expect(pairs.status == 0 && pairs.output.contains("4 test images"), "\(pairs)")
      #expect(pairs.errorOutput.contains("64 images asked for"), "\(pairs)")
      let paths = try lathe("interpolate", run, "--frames", "3")
      #expect(paths.status == 0 && paths.output.contains("2 pairs"), "\(paths)")
      let latent = try lathe("latent", run, "--out", folder)
      #expect(latent.status == 65 && latent.output.contains("covariance"), "\(latent)")
      let scores = try lathe("evaluate", run, "--samples", "6")
      #expect(scores.status == 0 && scores.output.contains("reconstruction/error"), "\(scores)")
      #expect(scores.output.contains("left out: prd"), "\(scores)")
    }
  }

  /// What the faults are about, and a run on 40 pictures, four of them for testing.
  private func makeInput(in folder: String) throws {
    func pictures(_ name: String, _ count: Int, side: Int = 8) throws {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
      for index in 0..<count {
        let pixels = (0..<side * side * 3).map { UInt8(truncatingIfNeeded: $0 * 7 + index * 31) }
        try Picture(width: side, height: side, channels: 3, pixels: pixels)
          .write(to: FilePath(String(format: "%@/%@/%02d.png", folder, name, index)))
      }
    }
    func write(_ bytes: [UInt8], to name: String) throws {
      try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    for (name, count) in [("good", 6), ("sizes", 6), ("damaged", 12), ("one", 1), ("many", 40)] {
      try pictures(name, count)
    }
    let large = [UInt8](repeating: 9, count: 12 * 12 * 3)
    try Picture(width: 12, height: 12, channels: 3, pixels: large)
      .write(to: FilePath("\(folder)/sizes/99.png"))
    let whole = try bytes(of: FilePath("\(folder)/damaged/03.png"))
    try write(Array(whole.prefix(whole.count / 2)), to: "damaged/03.png")
    for name in ["empty", "idx"] {
      try FileManager.default.createDirectory(
        atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    for name in ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"] {
      try write([0, 0, 8, 2, 0, 0, 0, 1], to: "idx/\(name)-ubyte")
    }
    try write(Array("version https://git-lfs.github.com/spec/v1\n".utf8), to: "lfs")
    try write(Array("weights weights weights".utf8), to: "text")
    try writeStatistics(in: folder)
    let trained = try runProcess(
      try builtExecutable("lathe"),
      [
        "train", "vae", "folder", "--data", "\(folder)/many", "--size", "8", "--steps", "1",
        "--batch", "8", "--networks", "mlp", "--set", "hiddenSize=8", "--set", "latentSize=3",
        "--out", "\(folder)/run",
      ], environment: ["LATHE_CACHE": folder + "/cache"], timeout: 60)
    #expect(trained.status == 0, "\(trained)")
  }

  private func writeStatistics(in folder: String) throws {
    for (name, size, isDamaged) in [("four", 4, false), ("six", 6, false), ("nan", 4, true)] {
      var mean = [Double](repeating: 0, count: size)
      if isDamaged { mean[1] = .nan }
      let identity = (0..<size * size).map { $0 % (size + 1) == 0 ? 1.0 : 0.0 }
      try NumPyArchive.write(
        [
          ("mu", NumPyArray(mean, shape: [size])),
          ("sigma", NumPyArray(identity, shape: [size, size])),
        ], to: FilePath("\(folder)/\(name).npz"))
    }
  }
}
