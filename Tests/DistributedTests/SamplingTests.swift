import Foundation
import TestSupport
import Testing

/// Samplers that are fitted to codes, through the command line.
@Suite struct SamplingTests {
  private let narrow = [
    "--set", "filters=2", "--set", "latentSize=4", "--steps", "3", "--batch", "32", "--slices", "4",
  ]

  /// An evaluation that is asked for has the time to fit to all codes.
  private let evaluation = ["--evaluate-every", "3", "--metrics", "error", "--samples", "20"]

  private func run(_ ranks: Int, _ arguments: [String], status: Int32 = 0) throws -> ProcessResult {
    let result = try mpirunResult(ranks, "lathe", arguments, timeout: 120)
    #expect(result.status == status, "\(arguments): \(result)")
    return result
  }

  private func bytes(_ path: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: path))
  }

  @Test func fittedSamplersHaveTheSameBitsOnAnyNumberOfRanks() throws {
    try withFolder { folder in
      var found: [[Data]] = []
      for ranks in [1, 2, 4] {
        let run = "\(folder)/\(ranks)"
        let train = ["train", "rae", "synthetic", "--out", run]
        _ = try self.run(ranks, train + narrow + evaluation)
        let checkpoint = "\(run)/checkpoints/step-000003"
        _ = try self.run(ranks, ["sample", run, "--sampler", "ancestral"])
        _ = try self.run(ranks, ["sample", run, "--sampler", "dirichlet-gmm"])
        found.append([
          try bytes("\(checkpoint)/sampler-gmm.safetensors"),
          try bytes("\(checkpoint)/sampler-dirichlet-gmm.safetensors"),
          try bytes("\(checkpoint)/sampler-aggregated-posterior.safetensors"),
          try bytes("\(run)/samples/samples-000003.png"),
          try bytes("\(run)/samples/samples-000003-aggregated-posterior-seed0.png"),
        ])
      }
      #expect(found[1] == found[0])
      #expect(found[2] == found[0])
      // Another seed is another mixture.
      let other = "\(folder)/other"
      let train = ["train", "rae", "synthetic", "--out", other, "--seed", "1"]
      _ = try self.run(1, train + narrow + evaluation)
      let mixture = try bytes("\(other)/checkpoints/step-000003/sampler-gmm.safetensors")
      #expect(mixture != found[0][0])
    }
  }

  /// A network trained on codes has the same bits on any number of ranks: without mpirun, on ranks
  /// whose number does not divide that of its slices, on more ranks than slices.
  @Test func trainedSamplersHaveTheSameBitsOnAnyNumberOfRanks() throws {
    try withFolder { folder in
      let run = "\(folder)/run"
      let train = ["train", "vae", "synthetic", "--out", run, "--train-images", "100"]
      _ = try self.run(1, train + narrow)
      let file = "\(run)/checkpoints/step-000003/sampler-flow.safetensors"
      let sample = ["sample", run, "--sampler", "flow", "--out", "\(folder)/samples.png"]
      let alone = try runProcess(try builtExecutable("lathe"), sample, timeout: 60)
      #expect(alone.status == 0, "\(alone)")
      let (network, picture) = (try bytes(file), try bytes("\(folder)/samples.png"))
      for ranks in [3, 4, 9] {
        try FileManager.default.removeItem(atPath: file)
        _ = try self.run(ranks, sample)
        #expect(try bytes(file) == network, "\(ranks) ranks")
        #expect(try bytes("\(folder)/samples.png") == picture, "\(ranks) ranks")
      }
    }
  }

  @Test func aSavedSamplerIsUsedAndADamagedOneIsNamed() throws {
    try withFolder { folder in
      let run = "\(folder)/run"
      _ = try self.run(2, ["train", "ae", "synthetic", "--out", run] + narrow + evaluation)
      let config = try String(contentsOfFile: "\(run)/config.yml", encoding: .utf8)
      #expect(config.contains("sampler: gmm"))
      let file = "\(run)/checkpoints/step-000003/sampler-gmm.safetensors"
      let before = try bytes(file)
      // It needs no training images: this place has none.
      let lathe = try builtExecutable("lathe")
      let sample = try runProcess(lathe, ["sample", run, "--data", "/nowhere"], timeout: 60)
      #expect(sample.status == 0, "\(sample)")
      #expect(try bytes(file) == before)
      // What is fitted later has the same bits.
      try FileManager.default.removeItem(atPath: file)
      _ = try self.run(2, ["sample", run])
      #expect(try bytes(file) == before)
      var damaged = before
      damaged[damaged.count - 10] ^= 1
      try damaged.write(to: URL(fileURLWithPath: file))
      let refused = try runProcess(lathe, ["sample", run], timeout: 60)
      #expect(refused.status == 65, "\(refused)")
      #expect(refused.errorOutput.contains("sampler-gmm.safetensors"))
    }
  }

  /// A sampler that is fitted after training sees the images that the run trained on, and no
  /// others.
  @Test func imagesHeldBackAreNotFittedTo() throws {
    try withFolder { folder in
      let run = "\(folder)/run"
      let heldBack = [
        "--evaluate-every", "3", "--validation", "1000", "--metrics", "error", "--samples", "20",
      ]
      _ = try self.run(1, ["train", "rae", "synthetic", "--out", run] + narrow + heldBack)
      let file = "\(run)/checkpoints/step-000003/sampler-gmm.safetensors"
      let before = try bytes(file)
      try FileManager.default.removeItem(atPath: file)
      _ = try self.run(1, ["sample", run])
      #expect(try bytes(file) == before)
    }
  }

  @Test func unsuitableSamplersAreNamed() throws {
    try withFolder { folder in
      let lathe = try builtExecutable("lathe")
      for (sampler, message) in [
        ("prior", "ae: no sampler 'prior'; it has aggregated-posterior, gmm, dirichlet-gmm, flow"),
        ("gnn", "'gnn'"),
      ] {
        let result = try runProcess(
          lathe,
          ["train", "ae", "synthetic", "--out", "\(folder)/run", "--sampler", sampler] + narrow,
          timeout: 60)
        #expect(result.status == 64 && result.errorOutput.contains(message), "\(result)")
      }
      // Another look at the samples does not make it another run.
      let run = ["train", "rae", "synthetic", "--out", "\(folder)/run"] + narrow
      _ = try self.run(1, run + ["--sampler", "prior"])
      let resumed = try self.run(1, run + ["--resume", "--sampler", "ancestral"])
      #expect(resumed.output.contains("resumed after step 3"))
    }
  }
}
