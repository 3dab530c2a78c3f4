import Foundation
import HypersphericalVAE
import LatheTensors
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

  @Test func aHypersphericalVAETrains() throws {
    try withFolder { folder in
      let arguments = [
        "train", "hyperspherical-vae", "synthetic", "--steps", "3", "--batch", "16", "--out",
        "\(folder)/run", "--set", "filters=2", "--set", "hiddenSize=8", "--set", "latentSize=4",
      ]
      let result = try mpirunResult(2, "HypersphericalVAE", arguments, timeout: 120)
      #expect(result.status == 0, "\(result)")
    }
  }

  /// In three dimensions A(κ) = coth κ − 1 / κ and log C(κ) |S| = log (κ / sinh κ).
  @Test(arguments: [0.1, 1, 5, 40, 700]) func klInThreeDimensions(_ kappa: Double) {
    let (value, slope) = uniformKL(kappa, dimensions: 3)
    // log sinh κ = κ + log (1 − e^(−2κ)) − log 2
    let logSinh = kappa + log1p(-exp(-2 * kappa)) - log(2)
    let expected = kappa / tanh(kappa) - 1 + log(kappa) - logSinh
    #expect(abs(value - expected) < 1e-9 * max(1, kappa))
    let step = 1e-4 * kappa
    let difference =
      (uniformKL(kappa + step, dimensions: 3).value - uniformKL(kappa - step, dimensions: 3).value)
      / (2 * step)
    #expect(abs(slope - difference) < 1e-5 * max(1, abs(slope)))
  }

  @Test(arguments: [4, 10, 50]) func klSlopeIsThatOfCentralDifferences(_ dimensions: Int) {
    for kappa in [0.5, 3, 30, 300] {
      let step = 1e-4 * kappa
      let above = uniformKL(kappa + step, dimensions: dimensions).value
      let below = uniformKL(kappa - step, dimensions: dimensions).value
      let slope = uniformKL(kappa, dimensions: dimensions).slope
      #expect(abs(slope - (above - below) / (2 * step)) < 1e-5 * max(1, abs(slope)))
    }
    let x = Tensor([0.7, 4], shape: [2, 1]).differentiable()
    let slopes = gradients(
      of: uniformKL(x, dimensions: dimensions).sum(), withRespectTo: [x])[0].values
    #expect(abs(slopes[0] - Float(uniformKL(0.7, dimensions: dimensions).slope)) < 1e-5)
  }

  /// Draws have length 1, and their mean along μ is A(κ) = coth κ − 1 / κ.
  @Test func drawsAreOnTheSphere() {
    let (count, kappa) = (4000, Float(4))
    let direction = Tensor((0..<3 * count).map { [0.6, 0, -0.8][$0 % 3] }, shape: [count, 3])
    let posterior = VonMisesFisher(
      mean: direction, concentration: Tensor(filledWith: kappa, shape: [count, 1]))
    let draws = posterior.sample(using: RandomSource(seed: 3))
    let lengths = draws.norm(axis: 1).values
    #expect(lengths.allSatisfy { abs($0 - 1) < 1e-3 })
    let along = (draws * direction).sum(1).mean().scalar
    #expect(abs(along - (1 / tanh(kappa) - 1 / kappa)) < 0.015)
  }
}
