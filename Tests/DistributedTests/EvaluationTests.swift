import LatheFiles
import LatheTraining
import Foundation
import LatheReports
import SystemPackage
import TestSupport
import Testing

private func lathe(_ ranks: Int, _ arguments: String...) throws -> ProcessResult {
  let result =
    ranks == 1
    ? try runProcess(try builtExecutable("lathe"), arguments, timeout: 600)
    : try mpirunResult(ranks, "lathe", arguments, timeout: 600)
  guard result.status == 0 else {
    throw ProcessError.failed(arguments.joined(separator: " "), result)
  }
  return result
}

/// A narrow model, trained for a few steps.
private func train(_ ranks: Int, _ out: String, _ more: [String] = []) throws {
  let arguments =
    [
      "train", "vae", "synthetic", "--steps", "4", "--batch", "32", "--slices", "4", "--out", out,
      "--set", "latentSize=6", "--set", "filters=4", "--set", "hiddenSize=24", "--sample-every",
      "0",
    ] + more
  let result = try mpirunResult(ranks, "lathe", arguments, timeout: 600)
  guard result.status == 0 else {
    throw ProcessError.failed(arguments.joined(separator: " "), result)
  }
}

private func json(_ path: String) throws -> JSONValue {
  try JSONDecoder().decode(JSONValue.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
}

/// The newest evaluation of a record.
private func newest(_ path: String) throws -> JSONValue {
  guard case .array(let all) = try json(path)["evaluations"] else { return .object([:]) }
  return try #require(all.last)
}

/// Scores by name.
private func scores(_ path: String) throws -> [String: Double] {
  guard case .array(let scores) = try newest(path)["scores"] else { return [:] }
  return Dictionary(
    uniqueKeysWithValues: scores.compactMap { score in
      guard case .string(let name) = score["name"] else { return nil }
      switch score["value"] {
      case .double(let value): return (name, value)
      case .int(let value): return (name, Double(value))
      default: return nil
      }
    })
}

/// `lathe evaluate`, `lathe fid` and `train --evaluate-every`.
@Suite struct EvaluationTests {
  /// 907 samples are divisible by neither 2 nor 4, nor by the size of a chunk.
  @Test func scoresDoNotDependOnTheNumberOfRanks() throws {
    try withFolder { folder in
      try train(1, "\(folder)/run")
      // One rank keeps features of real images, two find one of the two files, four none that is
      // whole.
      let kept = "\(folder)/features"
      for ranks in [1, 2, 4] {
        let output = try lathe(
          ranks, "evaluate", "\(folder)/run", "--features", "pixels", "--samples", "907",
          "--metrics",
          "error,ssim,fid,interpolation,prd,coverage,latent,elbo,dimension,"
            + "posterior,gap,memorization",
          "--out", "\(folder)/\(ranks).json", "--keep-features", kept
        ).output
        #expect(output.contains("907 generated images (sampler prior, seed 0)"), "\(output)")
        let files = try FileManager.default.contentsOfDirectory(atPath: kept).sorted()
        #expect(files.count == 2)
        try FileManager.default.removeItem(atPath: "\(kept)/\(files[0])")
        if ranks == 2 { try Data([1, 2]).write(to: URL(fileURLWithPath: "\(kept)/\(files[1])")) }
      }
      let expected = try scores("\(folder)/1.json")
      #expect(expected.count == 23, "\(expected.keys.sorted())")
      for ranks in [2, 4] {
        let found = try scores("\(folder)/\(ranks).json")
        #expect(found.keys.sorted() == expected.keys.sorted())
        for (name, value) in found {
          let difference = abs(value - expected[name]!)
          #expect(difference <= 1e-9 * max(1, abs(value)), "\(name) on \(ranks) ranks: \(value)")
        }
      }
      let log = try String(contentsOfFile: "\(folder)/run/metrics.jsonl", encoding: .utf8)
      #expect(log.components(separatedBy: "\"event\":\"evaluation\"").count == 4)
      // Other draws are other numbers.
      _ = try lathe(
        1, "evaluate", "\(folder)/run", "--features", "pixels", "--samples", "907", "--metrics",
        "fid", "--seed", "1", "--out", "\(folder)/other.json")
      let other = try scores("\(folder)/other.json")
      #expect(other["generation/pixel-distance"] != expected["generation/pixel-distance"])
    }
  }

  /// Pictures of one grey level each, and the same some levels lighter: the covariances are equal,
  /// so the distance is that of the means, 5 · 5 · 3 values of (51 / 255)².
  @Test func theDistanceOfFoldersIsThatOfTheirMeans() throws {
    try withFolder { folder in
      for (name, shift) in [("a", 0), ("b", 51)] {
        try FileManager.default.createDirectory(
          atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
        for (number, level) in [10, 40, 90, 150, 200].enumerated() {
          let picture = Picture(
            width: 5, height: 5, channels: 1, filledWith: UInt8(level + shift))
          try picture.write(to: FilePath("\(folder)/\(name)/\(number).png"))
        }
      }
      let expected = 75 * 0.2 * 0.2
      func distance(_ output: String) throws -> Double {
        let line = output.split(separator: "\n").first { $0.contains("distance") }
        return try #require(line?.split(separator: " ").lazy.compactMap { Double($0) }.first)
      }
      let whole = try lathe(
        2, "fid", "\(folder)/a", "\(folder)/b", "--features", "pixels", "--save",
        "\(folder)/a.npz")
      #expect(abs(try distance(whole.output) - expected) < 1e-5, "\(whole.output)")
      #expect(whole.output.contains("warning"), "5 images, 75 dimensions")
      let saved = try lathe(
        1, "fid", "\(folder)/a.npz", "\(folder)/b", "--features", "pixels")
      #expect(abs(try distance(saved.output) - expected) < 1e-5, "\(saved.output)")
      let same = try lathe(
        1, "fid", "\(folder)/a", "\(folder)/a", "--features", "pixels")
      #expect(abs(try distance(same.output)) < 1e-5)
    }
  }

  @Test func trainingMeasuresItselfAndKeepsTheBest() throws {
    try withFolder { folder in
      let options = [
        "--evaluate-every", "2", "--validation", "150", "--features", "pixels", "--metrics",
        "fid,error", "--samples", "120",
      ]
      for ranks in [1, 2] { try train(ranks, "\(folder)/\(ranks)", options) }
      let records = try String(contentsOfFile: "\(folder)/1/metrics.jsonl", encoding: .utf8)
        .split(separator: "\n").filter { $0.contains("\"event\":\"evaluation\"") }
      #expect(records.count == 2 && records.allSatisfy { $0.contains("\"split\":\"validation\"") })
      #expect(records[0].contains("\"best\":true"))
      let best = try CheckpointStore(reading: FilePath("\(folder)/1/best")).steps()
      #expect(best.count == 1)
      let lastBest = records.last { $0.contains("\"best\":true") }
      #expect(lastBest?.contains("\"step\":\(best[0])") == true)
      let name = "best/step-00000\(best[0])/model.safetensors"
      #expect(
        FileManager.default.contentsEqual(
          atPath: "\(folder)/1/\(name)", andPath: "\(folder)/2/\(name)"))
      let state = try RunState(reading: FilePath("\(folder)/1/best/step-00000\(best[0])"))
      #expect(state.run.data.validation == 150)
      #expect(state.best?.score == "generation/pixel-distance")
      let config = try String(contentsOfFile: "\(folder)/1/config.yml", encoding: .utf8)
      for line in ["evaluate-every: 2", "validation: 150", "features: pixels", "samples: 120"] {
        #expect(config.contains(line), "\(line)")
      }
      // What no flag says is as the run has it.
      let result = try lathe(
        1, "evaluate", "\(folder)/1", "--best", "--metrics", "error", "--samples", "10", "--out",
        "\(folder)/best.json")
      #expect(result.output.contains("no flag differs: features pixels, samples 120"))
      #expect(try newest("\(folder)/best.json")["step"] == .int(best[0]))
      #expect(try newest("\(folder)/best.json")["features"]?.text.contains("pixels") == true)
    }
  }

  /// What 5 samples are too few for is left out with its reason, and the rest is kept.
  @Test func whatCannotBeComputedIsLeftOut() throws {
    try withFolder { folder in
      try train(1, "\(folder)/run")
      for ranks in [1, 2] {
        let arguments = [
          "evaluate", "\(folder)/run", "--features", "pixels", "--samples", "5", "--reference",
          "train", "--metrics", "error,prd,dimension,memorization", "--out",
          "\(folder)/\(ranks).json",
        ]
        let result = try self.result(ranks, arguments)
        #expect(result.status == 65, "\(ranks) ranks: \(result)")
        let names = try scores("\(folder)/\(ranks).json").keys
        #expect(Array(names) == ["reconstruction/error"])
        let leftOut = try newest("\(folder)/\(ranks).json")["left out"]
        for (metric, reason) in [
          ("prd", "clusters"), ("dimension", "at least 21, found 5"), ("memorization", "unseen"),
        ] {
          let text = leftOut?[metric]?.text ?? ""
          #expect(text.contains(reason), "\(metric): \(text)")
        }
      }
    }
  }

  @Test func picturesOfTwoSizesAreOneFaultOnAnyNumberOfRanks() throws {
    try withFolder { folder in
      for side in [5, 6] {
        let picture = Picture(width: side, height: side, channels: 1, filledWith: UInt8(side))
        try picture.write(to: FilePath("\(folder)/\(side).png"))
      }
      for ranks in [1, 2] {
        let result = try self.result(ranks, ["fid", folder, folder, "--features", "pixels"])
        #expect(result.status == 65, "\(ranks) ranks: \(result)")
      }
    }
  }

  private func result(_ ranks: Int, _ arguments: [String]) throws -> ProcessResult {
    try ranks == 1
      ? runProcess(builtExecutable("lathe"), arguments, timeout: 600)
      : mpirunResult(ranks, "lathe", arguments, timeout: 600)
  }

  static let faults: [(arguments: [String], status: Int32, message: String)] = [
    (["--metrics", "fit"], 64, "--metrics: expected some of error, ssim"),
    (["--features", "inception"], 64, "expected classifier, classifier:FILE, inception:FILE"),
    (["--features", "pixels", "--dims", "64"], 64, "for --features inception:FILE only"),
    (["--features", "inception:/nowhere"], 66, "/nowhere"),
    (["--samples", "1"], 64, "--samples: expected a whole number, 2 to 1000000, found 1"),
    (["--reference", "validation"], 66, "validation split"),
  ]

  @Test func faultsHaveAMessageAndAStatus() throws {
    try withFolder { folder in
      try train(1, "\(folder)/run")
      for fault in EvaluationTests.faults {
        let result = try runProcess(
          try builtExecutable("lathe"), ["evaluate", "\(folder)/run"] + fault.arguments,
          timeout: 60)
        #expect(result.status == fault.status, "\(fault.arguments): \(result)")
        #expect(result.errorOutput.contains(fault.message), "\(fault.arguments): \(result)")
      }
    }
  }
}
