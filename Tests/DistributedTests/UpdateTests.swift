import Foundation
import LatheFiles
import LatheTraining
import SystemPackage
import TestSupport
import Testing

/// What a run adds to its phases' updates, and when it ends.
@Suite struct UpdateTests {
  private static let options = [
    "--ema", "0.8", "--clip-norm", "50", "--weight-decay", "0.05", "--schedule", "cosine",
    "--warm-up", "3",
  ]

  private func train(_ out: String, _ more: [String]) -> [String] {
    [
      "train", "vae", "synthetic", "--batch", "16", "--slices", "4", "--networks", "mlp", "--set",
      "hiddenSize=8", "--set", "latentSize=2", "--preview-every", "0", "--out", out,
    ] + more
  }

  private func run(_ ranks: Int, _ arguments: [String]) throws -> String {
    let result = try mpirunResult(ranks, "lathe", arguments, timeout: 120)
    guard result.status == 0 else {
      throw ProcessError.failed(arguments.joined(separator: " "), result)
    }
    return result.output
  }

  private func files(_ run: String, _ step: Int) throws -> [Data] {
    try ["model", "optimizer", "ema"].map { name in
      let path = "\(run)/checkpoints/step-\(String(format: "%06d", step))/\(name).safetensors"
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
  }

  /// The check itself is in DistributedChecks: closed forms, and the same bits on any number of
  /// ranks, with overlap and without.
  @Test func optionsInClosedForm() throws {
    let hashes = try [1, 2, 4].map { ranks in
      let output = try mpirun(ranks, "DistributedChecks", "updates", timeout: 120).output
      return String(output.split(separator: "\n").last ?? "")
    }
    #expect(hashes[0].hasPrefix("hash "))
    #expect(Set(hashes).count == 1, "\(hashes)")
  }

  /// The same bits on any number of ranks, and for a run that goes on for longer than was planned
  /// at first: it keeps its schedule.
  @Test func resumedOnOtherRanks() throws {
    try withFolder { folder in
      let (whole, parts) = ("\(folder)/whole", "\(folder)/parts")
      let options = Self.options
      _ = try run(1, train(whole, options + ["--steps", "12", "--schedule-steps", "8"]))
      _ = try run(2, train(parts, options + ["--steps", "8"]))
      _ = try run(4, ["train", "--resume", "--out", parts, "--steps", "12"])
      #expect(try files(parts, 12) == files(whole, 12))
      let other = "\(folder)/other"
      _ = try run(1, train(other, ["--steps", "12"]))
      let model = try Data(
        contentsOf: URL(fileURLWithPath: "\(other)/checkpoints/step-000012/model.safetensors"))
      #expect(try model != files(whole, 12)[0])
    }
  }

  /// Rates that depend on evaluations, and padded and cropped images: the same bits on any number
  /// of ranks, also for a run that goes on from checkpoints of steps which it evaluates.
  @Test func plateauResumedOnOtherRanks() throws {
    try withFolder { folder in
      let (whole, parts) = ("\(folder)/whole", "\(folder)/parts")
      let options = [
        "--schedule", "plateau", "--plateau-factor", "0.5", "--plateau-patience", "0",
        "--plateau-threshold", "0.2", "--evaluate-every", "2", "--metrics", "error", "--samples",
        "50", "--pad-crop", "3", "--padding", "reflect", "--flip", "--log-every", "1",
      ]
      _ = try run(1, train(whole, options + ["--steps", "12"]))
      _ = try run(2, train(parts, options + ["--steps", "4"]))
      _ = try run(4, ["train", "--resume", "--out", parts, "--steps", "7"])
      _ = try run(1, ["train", "--resume", "--out", parts, "--steps", "12"])
      #expect(try bytes(parts, 12) == bytes(whole, 12))
      #expect(try rates(parts) == rates(whole))
      #expect(try Set(rates(whole)).count > 1, "nothing was lowered")
    }
  }

  private func bytes(_ run: String, _ step: Int) throws -> [Data] {
    try ["model.safetensors", "optimizer.safetensors", "state.json"].map { name in
      let path = "\(run)/checkpoints/step-\(String(format: "%06d", step))/\(name)"
      return try Data(contentsOf: URL(fileURLWithPath: path))
    }
  }

  /// The learning rate of each step.
  private func rates(_ run: String) throws -> [Double] {
    RunLog.records(of: FilePath(run)).compactMap { $0["elbo/learning_rate"]?.asDouble }
  }

  /// What belongs to another schedule, or needs evaluations, is refused before anything is done.
  @Test func plateauNeedsEvaluations() throws {
    try withFolder { folder in
      let cases = [
        (["--schedule", "plateau"], "--schedule plateau: with --evaluate-every only"),
        (["--plateau-patience", "3"], "expected schedule plateau with these settings"),
        (
          [
            "--schedule", "plateau", "--plateau-by", "reconstruction/ssim", "--evaluate-every", "5",
            "--metrics", "error",
          ],
          "plateau-by: expected one of reconstruction/error, found reconstruction/ssim"
        ),
        (
          ["--pad-crop", "99"], "pad-crop: expected less than the 28 pixels of the images, found 99"
        ),
        (["--padding", "zero"], "padding: expected pad-crop with it, found zero"),
      ]
      for (options, message) in cases {
        let result = try mpirunResult(1, "lathe", train("\(folder)/run", options), timeout: 60)
        #expect(result.status == 64 && result.errorOutput.contains(message), "\(result)")
      }
    }
  }

  /// `evaluate` uses the average, and with `--raw` the parameters: other errors.
  @Test func averageIsUsedUnlessRaw() throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      _ = try run(1, train(out, ["--ema", "0.99", "--steps", "30", "--set", "learningRate=0.01"]))
      func error(_ more: String...) throws -> Substring? {
        let arguments = ["evaluate", out, "--metrics", "error", "--samples", "50"] + more
        return try run(1, arguments).split(separator: "\n")
          .first { $0.hasPrefix("reconstruction/error ") }
      }
      let (average, raw) = (try error(), try error("--raw"))
      #expect(average != nil && raw != nil && average != raw)
    }
  }

  /// A run whose score stands still ends after as many evaluations, with its last step saved.
  @Test(arguments: [1, 2]) func patience(_ ranks: Int) throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      let output = try run(
        ranks,
        train(
          out,
          [
            "--steps", "1000", "--evaluate-every", "5", "--metrics", "error,ssim", "--samples",
            "20",
            "--best-by", "reconstruction/error", "--patience", "2", "--set", "learningRate=1e-30",
            "--keep", "1", "--sampler", "gmm",
          ]))
      #expect(
        output.contains(
          "ended after step 15: no better reconstruction/error since step 5 (--patience)"))
      #expect(try names(in: "\(out)/checkpoints") == ["step-000015"])
      // It was fitted for the last evaluation, when nobody knew that the run would end.
      let files = try names(in: "\(out)/checkpoints/step-000015")
      #expect(files.contains("sampler-gmm.safetensors"))
      #expect(try names(in: "\(out)/best") == ["step-000005"])
    }
  }

  @Test func checkpointsKeptForGood() throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      _ = try run(
        1,
        train(
          out,
          ["--steps", "11", "--checkpoint-every", "2", "--keep", "2", "--keep-every", "4"]))
      #expect(
        try names(in: "\(out)/checkpoints")
          == ["step-000004", "step-000008", "step-000010", "step-000011"])
    }
  }

  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }
      .sorted()
  }
}
