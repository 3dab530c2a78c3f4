import Foundation
import LatheReports
import SystemPackage
import TestSupport
import Testing
import LatheTraining

@Suite struct InterpolationTests {
  @Test func aLineIsDividedEvenly() {
    let middle = InterpolationPath.linear.code(from: [0, 2], to: [4, -2], at: 0.25)
    #expect(middle == [1, 1])
  }

  /// A quarter circle in thirds, for codes of length 2.
  @Test(arguments: [0, 1, 2, 3])
  func aGreatCircleIsDividedEvenly(_ third: Int) {
    let code = InterpolationPath.slerp.code(from: [2, 0], to: [0, 2], at: Float(third) / 3)
    let angle = Double(third) * .pi / 6
    #expect(abs(Double(code[0]) - 2 * cos(angle)) < 1e-6)
    #expect(abs(Double(code[1]) - 2 * sin(angle)) < 1e-6)
  }

  @Test(
    arguments: [([1, 0], [3, 0]), ([1, 0], [-1, 0]), ([0, 0], [1, 1])] as [([Float], [Float])])
  func withoutACircleItIsTheLine(_ a: [Float], _ b: [Float]) {
    let slerp = InterpolationPath.slerp.code(from: a, to: b, at: 0.5)
    #expect(slerp == InterpolationPath.linear.code(from: a, to: b, at: 0.5))
  }
}

/// The commands that draw.
@Suite struct FigureTests {
  @Test func directionsDoNotDependOnRankCount() throws {
    try mpirun(2, "DistributedChecks", "attributes", timeout: 60)
  }

  @Test func figuresOfARun() throws {
    let hasGnuplot = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
      .contains { FileManager.default.isExecutableFile(atPath: "\($0)/gnuplot") }
    try withFolder { folder in
      let run = "\(folder)/run"
      func lathe(_ arguments: String...) throws -> ProcessResult {
        let result = try runProcess(try builtExecutable("lathe"), arguments, timeout: 240)
        #expect(result.status == 0, "\(arguments): \(result)")
        return result
      }
      _ = try lathe(
        "train", "vae", "synthetic", "--steps", "2", "--batch", "32", "--out", run, "--set",
        "latentSize=6", "--set", "filters=4", "--set", "hiddenSize=24", "--sample-every", "0")
      _ = try lathe("sample", run, "--count", "8", "--svg")
      _ = try lathe("reconstruct", run, "--count", "8", "--out", "\(folder)/pairs.svg")
      _ = try lathe("interpolate", run, "--rows", "2", "--frames", "3", "--along", "slerp")
      let found = try lathe("neighbors", run, "--count", "2", "--out", "\(folder)/near.png")
      #expect(found.output.contains("nearest of 6,000 training images"))
      try mpirun(
        2, "lathe", "neighbors", run, "--count", "2", "--out", "\(folder)/near2.png", timeout: 120)
      let pictures = try ["near", "near2"].map { try Picture.read(FilePath("\(folder)/\($0).png")) }
      #expect(pictures[0] == pictures[1])
      // Two runs, a row each below the images; two columns, and labels of eleven letters.
      _ = try lathe(
        "reconstruct", run, run, "--random", "--count", "2", "--out", "\(folder)/sheet.png")
      let sheet = try Picture.read(FilePath("\(folder)/sheet.png"))
      #expect(sheet.height == 2 + 7 + 2 + 3 * (56 + 2))
      for name in ["run/samples/samples-000002-seed0.svg", "pairs.svg"] {
        let text = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
        #expect(text.contains("<text") && text.contains("vae, synthetic, step 2"), "\(name)")
      }
      // Rows of an image, three codes and another image, 28 pixels doubled and a gap of 2.
      let grid = try Picture.read(FilePath("\(run)/samples/interpolations-000002-slerp.png"))
      #expect(grid.width == 2 + 5 * (56 + 2))
      if hasGnuplot {
        _ = try lathe("latent", run, "--samples", "60", "--perplexity", "5", "--out", folder)
        for name in ["data", "codes", "covariance"] {
          let chart = try Picture.read(FilePath("\(folder)/latent-000002-\(name).png"))
          #expect(chart.width == 900, "\(name)")
        }
        let maps = "\(folder)/maps.png"
        try mpirun(
          2, "lathe", "latent", run, run, "--figure", "t-sne", "--count", "20", "--perplexity", "5",
          "--out", maps, timeout: 120)
        // Three panels of 270 with 24 between them, and the legend.
        #expect(try Picture.read(FilePath(maps)).width == 3 * (24 + 270) + 130)
      }
      let fault = try runProcess(
        try builtExecutable("lathe"), ["interpolate", run, "--attribute", "Smiling"], timeout: 60)
      #expect(fault.status == 64 && fault.errorOutput.contains("synthetic has no attributes"))
    }
  }
}
