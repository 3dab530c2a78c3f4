import LatheData
import Foundation
import LatheNN
import LatheModels
import LatheTensors
import TestSupport
import Testing

/// What the golden files cannot know of the variational models.
@Suite struct VariationalModelTests {
  private static let grey = ImageShape(height: 28, width: 28, channels: 1)

  private func fill(_ store: ParameterStore, _ name: String, _ values: [Float]) throws {
    let parameter = try #require(store.parameters.first { $0.name == name })
    try #require(parameter.shape.count == values.count)
    for (index, value) in values.enumerated() {
      parameter.value.storage.pointer[index] = value
    }
  }

  /// Published counts of networks A2, with a second head of as many outputs as the first.
  @Test(arguments: [
    (ImageShape(height: 32, width: 32, channels: 1), 16, 11_083_408, 11_606_273),
    (ImageShape(height: 32, width: 32, channels: 3), 128, 11_546_368, 18_954_499),
    (ImageShape(height: 64, width: 64, channels: 3), 64, 18_267_200, 21_475_331),
  ])
  func countsOnA2(_ images: ImageShape, _ latentSize: Int, _ encoder: Int, _ decoder: Int) throws {
    let (store, _) = try build("beta-vae", images, ["networks": "a2", "latentSize": latentSize])
    let last = images.height / 16 * (images.width / 16) * 1024
    #expect(store.parameterCount(of: "encoder") == encoder + latentSize * (last + 1))
    #expect(store.parameterCount(of: "decoder") == decoder)
  }

  /// Published counts of networks A1 for 32 codes, with 32 more outputs of the last layer.
  @Test(arguments: ["beta-vae", "info-vae"]) func countsOnA1(_ name: String) throws {
    let (store, _) = try build(name, Self.grey)
    #expect(store.parameterCount(of: "encoder") == 6_590_944 + 32 * 1025)
    #expect(store.parameterCount(of: "decoder") == 6_871_553)
  }

  @Test func countsOfWhatModelsAdd() throws {
    let factor = try build("factor-vae", Self.grey).0
    #expect(
      factor.parameterCount(of: "discriminator") == 11 * 1000 + 5 * 1001 * 1000 + 1001 * 2)
    let implicit = try build("vae-iop", Self.grey).0
    #expect(implicit.parameterCount(of: "ratio") == 41 * 500 + 2 * 501 * 500 + 501)
    let vamp = try build("vampprior", Self.grey, ["pseudoInputs": 7]).0
    #expect(vamp.parameterCount(of: "prior") == 7 * 784)
  }

  @Test(arguments: Networks.standard, Likelihood.allCases)
  func vaeOnAnyNetworks(_ networks: Networks, _ likelihood: Likelihood) throws {
    let settings: [String: Any] = [
      "networks": networks.name, "likelihood": likelihood.rawValue, "filters": 4,
      "hiddenSize": 8, "latentSize": 5,
    ]
    let (_, model) = try build("vae", Self.grey, settings)
    let random = RandomSource(seed: 2)
    let images = random.uniform("images", [3, 28, 28, 1])
    #expect(model.decode(model.encode(images)).shape == images.shape)
    let losses = model.boundStep[0].phases[0].loss(Batch(images: images, random: random, step: 0))
    #expect(losses.total.scalar.isFinite)
    // The same image, another draw: codes are drawn around their mean.
    let (one, other) = (
      model.sampleCodes(of: images, using: random),
      model.sampleCodes(of: images, using: random.derived(1))
    )
    #expect(one.shape == [3, 5] && one.values != other.values)
    let still = random.giving(["posterior": Tensor(filledWith: 0, shape: [3, 5])])
    #expect(model.sampleCodes(of: images, using: still).values == model.encode(images).values)
  }

  @Test func warmUpGrowsToOne() {
    #expect((0..<6).map { warmUp($0, over: 4) } == [0.25, 0.5, 0.75, 1, 1, 1])
    #expect(warmUp(0, over: 0) == 1)
  }

  // MARK: VampPrior

  private func vampPrior(_ pseudoInputs: Int) throws -> (ParameterStore, VampPriorVAE) {
    let settings: [String: Any] = [
      "pseudoInputs": pseudoInputs, "pseudoInputDeviation": 0.5, "latentSize": 3, "filters": 4,
      "hiddenSize": 8,
    ]
    let (store, model) = try build("vampprior", Self.grey, settings)
    return (store, try #require(model as? VampPriorVAE))
  }

  /// The component is drawn, not counted off: given chances pick the pseudo-inputs, whose codes
  /// come back without noise.
  @Test func pseudoInputsArePickedByChance() throws {
    let (store, model) = try vampPrior(4)
    let inputs = store.parameters.first { $0.name == "prior.pseudo_inputs" }!.value
    let means = model.encode(inputs.clamped(to: 0...1))
    let still = RandomSource(seed: 1).giving([
      "component": Tensor([0.99, 0, 0.3, 0.99], shape: [4]),
      "posterior": Tensor(filledWith: 0, shape: [4, 3]),
    ])
    let codes = model.samplers[0].draw(4, still)
    expectClose(codes, means.gather([3, 0, 1, 3]), relative: 1e-6)
    #expect(means.gather([0, 1, 2, 3]).values != codes.values)
  }

  /// log (1/K) Σ N(z; μ_k, σ_k²) in double precision; far away, where every density underflows,
  /// too.
  @Test(arguments: [Float(1), 60]) func mixtureDensity(_ far: Float) throws {
    let model = try vampPrior(4).1
    let random = RandomSource(seed: 4)
    let components = Posterior(
      mean: random.normal("mean", [4, 3]),
      standardDeviation: random.uniform("standardDeviation", [4, 3]) + 0.5)
    let codes = far * random.normal("codes", [2, 3])
    let (z, mean, standardDeviation) = (
      codes.values, components.mean.values, components.standardDeviation.values
    )
    let expected = (0..<2).map { row in
      let each = (0..<4).map { k in
        (0..<3).reduce(0.0) { sum, i in
          let (m, s) = (Double(mean[3 * k + i]), Double(standardDeviation[3 * k + i]))
          let distance = (Double(z[3 * row + i]) - m) / s
          return sum - 0.5 * distance * distance - log(s) - 0.5 * log(2 * Double.pi)
        }
      }
      let largest = each.max()!
      return Float(largest + log(each.reduce(0) { $0 + exp($1 - largest) } / 4))
    }
    expectClose(model.logPrior(codes, components).values, expected, relative: 1e-5)
  }

  // MARK: Implicit optimal prior

  /// With T(z) = 2 tanh z₁, codes that are resampled, or moved by Langevin dynamics, have the mean
  /// that integration gives.
  @Test(arguments: [("vae-iop", "importance"), ("ncp-vae", "importance"), ("ncp-vae", "langevin")])
  func reweighted(_ name: String, _ sampler: String) throws {
    let settings: [String: Any] = [
      "latentSize": 2, "ratioHidden": [1], "filters": 4, "hiddenSize": 8,
    ]
    let (store, model) = try build(name, Self.grey, settings)
    try fill(store, "ratio.hidden.output.weight", [1, 0])
    try fill(store, "ratio.output.weight", [2])
    let count = 3000
    let drawing = try #require(model.samplers.first { $0.name == Sampler.Name(sampler) })
    let codes = drawing.draw(count, RandomSource(seed: 6))
    #expect(drawing.draw(70, RandomSource(seed: 6)).shape == [70, 2])
    let (mean, standardDeviation) = integrate { 2 * tanh($0) }
    let first = codes.slice(0..<1, axis: 1).mean().scalar
    let second = codes.slice(1..<2, axis: 1).mean().scalar
    let error = 4 / Float(count).squareRoot()
    // Of 100 draws, one kept: a bias of the order of a hundredth. So have steps of Langevin
    // dynamics that are not small.
    #expect((first - Float(mean)).magnitude < error * Float(standardDeviation) + 0.02)
    #expect(second.magnitude < error)
    let spread = sqrt(codes.slice(0..<1, axis: 1).variance(0)).scalar
    #expect((spread - Float(standardDeviation)).magnitude < 0.05)
    #expect(mean > 0.7)
    #expect(Set(codes.values).count > count)
  }

  /// Mean and deviation of the density in proportion to e^T(z) N(z; 0, 1).
  private func integrate(_ logRatio: (Double) -> Double) -> (Double, Double) {
    var (mass, first, second) = (0.0, 0.0, 0.0)
    for z in stride(from: -8.0, through: 8, by: 0.001) {
      let weight = exp(logRatio(z) - z * z / 2)
      mass += weight
      first += weight * z
      second += weight * z * z
    }
    let mean = first / mass
    return (mean, (second / mass - mean * mean).squareRoot())
  }

  // MARK: FactorVAE

  @Test func coordinatesArePermutedEachByItself() {
    let codes = Tensor([0, 10, 1, 11, 2, 12], shape: [3, 2])
    let noise = Tensor([0.9, 0.2, 0.1, 0.8, 0.5, 0.3], shape: [3, 2])
    // First column in the order of 0.1, 0.5, 0.9; second of 0.2, 0.3, 0.8.
    #expect(
      permutingCoordinates(of: codes, by: noise).values == [1, 10, 2, 12, 0, 11])
    let many = RandomSource(seed: 8).normal("codes", [500, 4])
    let permuted = permutingCoordinates(
      of: many, by: RandomSource(seed: 8).uniform("order", [500, 4]))
    for column in 0..<4 {
      let (before, after) = (
        many.slice(column..<column + 1, axis: 1).values,
        permuted.slice(column..<column + 1, axis: 1).values
      )
      #expect(before.sorted() == after.sorted())
      #expect(zip(before, after).filter { $0 == $1 }.count < 20)
    }
  }

  // MARK: Configurations

  @Test(
    arguments: [
      ("vae-flow", "latentSize", 1, "latentSize: expected at least 2, found 1"),
      ("glf", "latentSize", 1, "latentSize: expected at least 2, found 1"),
      ("cwae", "latentSize", 1, "latentSize: expected at least 2, found 1"),
      ("hvae", "latentSize", 2, "latentSize: expected at least 3, found 2"),
      ("info-vae", "lambda", 0.5, "alpha + lambda - 1: expected a finite number of at least 0"),
      (
        "vae-iop", "dropout", 1,
        "dropout: expected a finite number, at least 0 and less than 1, found 1"
      ),
      (
        "vampprior", "pseudoInputs", 0,
        "pseudoInputs: expected a whole number, 1 to 1000000, found 0"
      ),
      ("beta-vae", "beta", -1, "beta: expected a finite number, at least 0, found -1"),
      ("factor-vae", "latentSize", 0, "latentSize: expected a whole number, 1 to 1000000, found 0"),
    ] as [(String, String, Double, String)])
  func impossibleConfigurationsAreNamed(
    _ name: String, _ key: String, _ value: Double, _ message: String
  ) throws {
    let problem = try refusal(name, Self.grey, [key: value])
    #expect(try #require(problem).hasPrefix(message))
  }

  /// The prior of `ard-vae` is that of the codes it was told of, and the dimensions that matter are
  /// those that the decoder listens to.
  @Test func variancesAreEstimated() throws {
    let images = ImageShape(height: 8, width: 8, channels: 1)
    let (store, model) = try build(
      "ard-vae", images,
      ["networks": "mlp", "hiddenSize": 16, "latentSize": 3, "priorMomentum": 0])
    // The decoder is deaf to the last dimension.
    let first = try #require(store.parameters.first { $0.name == "decoder.layer0.weight" })
    for column in 0..<16 { first.value.storage.pointer[2 * 16 + column] = 0 }
    let random = RandomSource(seed: 2)
    let batch = random.uniform("images", [64, 8, 8, 1])
    let others = random.uniform("other images", [64, 8, 8, 1])
    let updates = Arena(count: store.bufferValues.count)
    store.bindGradientBuffers(
      of: [], gradients: updates.pointer, statisticsUpdates: updates.pointer, owner: updates)
    _ = model.boundStep[0].phases[0].loss(
      Batch(images: batch, otherImages: others, random: random, step: 0))
    store.unbindGradientBuffers()
    store.updateRunningStatistics(from: updates.pointer, slices: 1)
    let drawn = model.samplers[0].draw(20_000, random).values
    let codes = model.sampleCodes(
      of: others,
      using: random.giving(["posterior": random.normal("held posterior", [64, 3])])
    ).values
    for dimension in 0..<3 {
      func moment(_ values: [Float], _ power: (Double) -> Double) -> Double {
        let own = stride(from: dimension, to: values.count, by: 3).map {
          power(Double(values[$0]))
        }
        return own.reduce(0, +) / Double(own.count)
      }
      let (mean, square) = (moment(codes) { $0 }, moment(codes) { $0 * $0 })
      let around = moment(drawn) { ($0 - mean) * ($0 - mean) }
      #expect(abs(moment(drawn) { $0 } - mean) < 0.05 * square.squareRoot())
      #expect(abs(around / square - 1) < 0.05)
    }
    let relevance = try #require(model.relevance(of: batch, using: random)).values
    #expect(relevance[2] == 0 && relevance.contains(1))
    #expect(try build("vae", images).1.relevance(of: batch, using: random) == nil)
  }
}
