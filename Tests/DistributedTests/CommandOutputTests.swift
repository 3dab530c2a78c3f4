import Foundation
import LatheReports
import SystemPackage
import TestSupport
import Testing

/// What commands print and write: it fits 80 columns, is said once, and is where it was asked for.
@Suite struct CommandOutputTests {
  private func lathe(_ arguments: String...) throws -> ProcessResult {
    try runProcess(
      try builtExecutable("lathe"), arguments, environment: ["COLUMNS": "80"], timeout: 120)
  }

  private func train(_ run: String) throws {
    let result = try lathe(
      "train", "vae", "synthetic", "--steps", "2", "--batch", "32", "--out", run, "--set",
      "latentSize=6", "--set", "filters=4", "--set", "hiddenSize=24", "--sample-every", "0")
    #expect(result.status == 0, "\(result)")
  }

  static let commands = [
    "evaluate", "sample", "reconstruct", "interpolate", "neighbors", "latent", "fid", "data pack",
    "data verify", "data show", "data stats", "datasets", "models", "features extract",
    "features train", "bench step", "bench kernels", "bench features",
    "bench scores",
  ]

  @Test(arguments: commands) func helpHasAnExampleAndFitsTheScreen(_ command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    let help = try runProcess(
      try builtExecutable("lathe"), words + ["--help"], environment: ["COLUMNS": "80"], timeout: 60)
    let lines = help.output.split(separator: "\n")
    #expect(lines.filter { $0.count > 80 } == [])
    #expect(lines.contains { $0.hasPrefix("  ") && $0.contains("lathe \(command)") }, "\(lines)")
  }

  @Test(arguments: ["datasets", "models", "models maskaae"])
  func listingsFitTheScreen(_ command: String) throws {
    let words = command.split(separator: " ").map(String.init)
    let listing = try runProcess(try builtExecutable("lathe"), words, timeout: 60)
    #expect(listing.output.split(separator: "\n").filter { $0.count > 80 } == [])
  }

  @Test func scoresFitTheScreen() throws {
    try withFolder { folder in
      try train("\(folder)/run")
      let result = try lathe("evaluate", "\(folder)/run", "--samples", "30", "--reference", "test")
      #expect(result.status == 0, "\(result)")
      let lines = result.output.split(separator: "\n").filter { !$0.contains(folder) }
      #expect(lines.count > 20 && lines.allSatisfy { $0.count <= 80 }, "\(result)")
      // A protocol that scores share is told once.
      #expect(lines.count { $0.contains("Scores are against") } == 1)
    }
  }

  /// What one rank does is done and said once.
  @Test(arguments: [["models"], ["datasets"], ["data", "verify", "synthetic"]])
  func oneRankSpeaks(_ arguments: [String]) throws {
    let alone = try runProcess(try builtExecutable("lathe"), arguments, timeout: 60)
    let ranks = try mpirunResult(2, "lathe", arguments, timeout: 60)
    #expect(alone.status == 0 && ranks.status == 0, "\(ranks)")
    #expect(ranks.output == alone.output)
  }

  @Test func foldersThatAreNotThereAreMade() throws {
    try withFolder { folder in
      let picture = Picture(width: 3, height: 2, channels: 1, filledWith: 9)
      for name in ["a", "b"] { try picture.write(to: FilePath("\(folder)/\(name).png")) }
      let saved = try lathe(
        "fid", folder, "--features", "pixels", "--save", "\(folder)/new/a.npz")
      #expect(saved.status == 0 && saved.output.contains("written          \(folder)/new/a.npz"))
      let shown = try lathe(
        "data", "show", "synthetic", "--count", "2", "--out", "\(folder)/grid/q.svg")
      #expect(shown.status == 0, "\(shown)")
      #expect(try String(contentsOfFile: "\(folder)/grid/q.svg", encoding: .utf8).contains("<svg"))
      let features = try lathe(
        "features", "extract", "synthetic", "--count", "3", "--features", "pixels", "--round",
        "--out", "\(folder)/vectors/f.safetensors")
      #expect(features.status == 0, "\(features)")
      #expect(features.errorOutput.contains("--round is now called --rounding nearest"))
      #expect(FileManager.default.fileExists(atPath: "\(folder)/vectors/f.safetensors"))
    }
  }

  /// For root too, who could make it: a file system that is not mounted is not written beside.
  @Test func foldersDirectlyBelowTheRootAreNotMade() throws {
    try withFolder { folder in
      let top = "/lathe-\(UInt64.random(in: 0 ... .max))"
      for command in [
        ["fid", folder, "--features", "pixels", "--save", "\(top)/a.npz"],
        ["data", "show", "synthetic", "--out", "\(top)/figures/s.png"],
        ["features", "extract", "synthetic", "--out", "\(top)/f.safetensors"],
      ] {
        let result = try runProcess(try builtExecutable("lathe"), command, timeout: 60)
        #expect(result.status == 73, "\(command): \(result)")
        #expect(result.errorOutput.contains("expected the folder \(top), found none"), "\(result)")
        #expect(!FileManager.default.fileExists(atPath: top))
      }
    }
  }

  @Test func whatCannotBeWrittenIsFoundBeforeTheWork() throws {
    try withFolder { folder in
      try train("\(folder)/run")
      for command in [
        ["latent", "\(folder)/run", "--count", "0", "--out", "/proc/figures"],
        ["sample", "\(folder)/run", "--out", "/proc/figures/s.png"],
        ["evaluate", "\(folder)/run", "--samples", "20", "--out", "/proc/figures/e.json"],
        ["data", "show", "synthetic", "--out", "/proc/figures/s.png"],
        ["features", "extract", "synthetic", "--out", "/proc/figures/f.safetensors"],
      ] {
        let result = try runProcess(try builtExecutable("lathe"), command, timeout: 60)
        #expect(result.status == 73, "\(command): \(result)")
        #expect(result.errorOutput.hasPrefix("lathe: cannot create /proc/figures"), "\(result)")
      }
    }
  }

  /// One status, and no message of MPI's, where there is no other rank.
  @Test func oneImageHasNoCovariance() throws {
    try withFolder { folder in
      let picture = Picture(width: 3, height: 2, channels: 1, filledWith: 9)
      try picture.write(to: FilePath("\(folder)/a.png"))
      let result = try lathe("fid", folder, folder, "--features", "pixels")
      #expect(result.status == 65)
      #expect(
        result.errorOutput
          == "lathe: \(folder): expected at least 2 images for a covariance, found 1\n",
        "\(result)")
    }
  }

  static let refusals: [(arguments: [String], message: String)] = [
    (["interpolate", "RUN", "--along", "slerp", "--attribute", "Male"], "--along: not with"),
    (["interpolate", "RUN", "--reach", "3"], "--reach: with --attribute only"),
    (["interpolate", "RUN", "--rows", "0"], "--rows: expected 1 to 100, found 0"),
    (["sample", "RUN", "--best", "--step", "2"], "--step, --best: give one of them"),
    (["sample", "RUN", "--threads", "0"], "--threads: expected 1 to 256, found 0"),
    (["neighbors", "RUN", "--count", "-1"], "--count"),
    (["bench", "kernels", "--threads", "0"], "--threads: expected 1 to 256, found 0"),
    (["data", "show", "synthetic", "--out", "q.jpg"], "expected a name in .png or .svg"),
  ]

  @Test(arguments: refusals.indices) func whatIsNotUsedIsRefused(_ index: Int) throws {
    let refusal = Self.refusals[index]
    let result = try runProcess(try builtExecutable("lathe"), refusal.arguments, timeout: 60)
    #expect(result.status == 64, "\(result)")
    #expect(result.errorOutput.contains(refusal.message), "\(result)")
  }
}
