import Foundation
import TestSupport
import Testing

/// The programs in `Examples/` do what their first lines say, in few steps.
@Suite struct ExampleTests {
  @Test func anOwnModelHasTheWholeCommandLine() throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      let tiny = ["--set", "hiddenSize=8", "--set", "latentSize=2", "--sampler", "gmm"]
      let train = ["train", "denoising", "synthetic", "--batch", "16", "--out", out]
      let first = try mpirunResult(2, "OwnModel", train + ["--steps", "2"] + tiny, timeout: 120)
      #expect(first.status == 0, "\(first)")
      let resumed = try mpirunResult(
        1, "OwnModel", ["train", "--resume", "--steps", "3", "--out", out], timeout: 120)
      #expect(resumed.status == 0, "\(resumed)")
      #expect(FileManager.default.fileExists(atPath: "\(out)/checkpoints/step-000003"))
      let list = try runProcess(try builtExecutable("OwnModel"), ["models"], timeout: 60)
      #expect(list.output.contains("denoising"))
      let sample = try runProcess(
        try builtExecutable("OwnModel"), ["sample", out, "--count", "4"], timeout: 60)
      #expect(sample.status == 0, "\(sample)")
    }
  }

  @Test func ownNetworksAndOwnImagesTrain() throws {
    try withFolder { folder in
      let short = ["--steps", "2", "--batch", "16", "--set", "latentSize=2"]
      let networks = try runProcess(
        try builtExecutable("OwnNetworks"),
        ["train", "vae", "synthetic", "--networks", "linear", "--out", "\(folder)/a"] + short,
        timeout: 120)
      #expect(networks.status == 0, "\(networks)")
      let data = try runProcess(
        try builtExecutable("OwnData"),
        ["train", "vae", "squares", "--networks", "mlp", "--set", "hiddenSize=8"]
          + ["--out", "\(folder)/b"] + short, timeout: 120)
      #expect(data.status == 0, "\(data)")
      #expect(data.output.contains("4,096 training and 512 test images"))
    }
  }

  @Test func aTrainedRunEncodesAndDecodes() throws {
    try withFolder { folder in
      let out = "\(folder)/run"
      let train = ["train", "vae", "synthetic8", "--networks", "mlp", "--set", "hiddenSize=8"]
      let short = ["--set", "latentSize=2", "--steps", "2", "--batch", "16", "--out", out]
      _ = try mpirunResult(1, "lathe", train + short, timeout: 120)
      let result = try runProcess(
        try builtExecutable("TrainedRun"), [out, "synthetic8"], timeout: 60)
      #expect(result.status == 0 && result.output.contains("codes [2, 2] ["), "\(result)")
      #expect(FileManager.default.fileExists(atPath: "\(out)/line.png"))
    }
  }
}
