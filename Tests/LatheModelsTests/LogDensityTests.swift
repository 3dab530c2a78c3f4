import Foundation
import LatheKernels
import LatheModels
import LatheNN
import LatheTensors
import TestSupport
import Testing

/// Importance sampling against marginal likelihoods that are known: those of linear decoders with
/// normal noise, and a quadrature.
@Suite struct LogDensityTests {
  private static let images = ImageShape(height: 1, width: 5, channels: 1)
  private let image = Tensor([0.2, 0.9, 0.4, 1.1, 0.1], shape: [1, 1, 5, 1])

  private func configured<C: AutoencoderConfiguration>(_ configuration: C) -> C {
    var configuration = configuration
    configuration.networks = Networks(LinearNetworks())
    configuration.latentSize = 2
    return configuration
  }

  private func made<M: Model>(_: M.Type, _ configuration: M.Configuration) -> Built<M> {
    let store = ParameterStore(seed: 3)
    let model = M(store.root, images: Self.images, configuration: configuration)
    store.layOut()
    return Built(store: store, model: model)
  }

  private func estimate(_ model: any Model, _ draws: Int, seed: UInt64 = 5) throws -> Double {
    let density = try #require(model.density)
    return density.estimate(of: image, draws: draws, using: RandomSource(seed: seed))
  }

  /// p(x) = N(b, W Wᵀ + γ² I); the error is that of 20,000 draws from a posterior of no use.
  @Test(arguments: [Likelihood.fixedVariance, .learnedVariance])
  func linearVAE(_ likelihood: Likelihood) throws {
    var configuration = configured(VAE.Configuration())
    configuration.likelihood = likelihood
    let built = made(VAE.self, configuration)
    let gamma = likelihood == .learnedVariance ? try built.set("decoder.log_gamma", [-0.3]) : 0
    let exact = built.decoder.pushed(.standard(2)).adding(exp(2 * gamma)).logDensity(image)
    let errors = try [1, 100, 20_000].map { draws in
      // Of few draws the mean of many estimates is below, not each of them.
      let repeats = max(1, 2000 / draws)
      let all = try (0..<repeats).map { try estimate(built.model, draws, seed: UInt64($0)) }
      return exact - all.reduce(0, +) / Double(repeats)
    }
    #expect(errors[0] > errors[1] && errors[1] > -0.02 && abs(errors[2]) < 0.01, "\(errors)")
  }

  /// With the exact posterior each draw gives p(x).
  @Test func exactPosterior() throws {
    var configuration = configured(VAE.Configuration())
    (configuration.latentSize, configuration.likelihood) = (1, .fixedVariance)
    let built = made(VAE.self, configuration)
    let w = built.values("decoder.output.weight")
    let variance = 1 / (1 + w.reduce(0) { $0 + $1 * $1 })
    // Mean: Wᵀ (x − b) / (1 + WᵀW), with b = 0; the second head has 10 log (σ / 1.5).
    try built.set("encoder.output.weight", w.flatMap { [$0 * variance, 0] })
    try built.set("encoder.output.bias", [0, 10 * log(variance.squareRoot() / 1.5)])
    let exact = built.decoder.pushed(.standard(1)).adding(1).logDensity(image)
    for draws in [1, 7, 150] {
      let found = try estimate(built.model, draws)
      #expect(abs(found - exact) < 1e-4, "\(draws) draws: \(found), \(exact)")
    }
  }

  /// A flow changes the posterior, not p(x).
  @Test func flowPosterior() throws {
    var configuration = configured(FlowVAE.Configuration())
    (configuration.flowHidden, configuration.contextSize) = ([8], 3)
    let built = made(FlowVAE.self, configuration)
    let exact = built.decoder.pushed(.standard(2)).adding(1).logDensity(image)
    #expect(abs(try estimate(built.model, 20_000) - exact) < 0.01)
  }

  /// A mixture of the posteriors of the pseudo-inputs.
  @Test func vampPrior() throws {
    var configuration = configured(VampPriorVAE.Configuration())
    (configuration.pseudoInputs, configuration.likelihood) = (3, .fixedVariance)
    let built = made(VampPriorVAE.self, configuration)
    let inputs = built.values("prior.pseudo_inputs").map { Float(min(max($0, 0), 1)) }
    let posterior = built.model.networks.encoder(
      Tensor(inputs, shape: [3, 1, 5, 1]), mode: .inference)
    let (means, deviations) = (posterior.mean.values, posterior.standardDeviation.values)
    func variance(_ place: Int) -> Double { Double(deviations[place]) * Double(deviations[place]) }
    let logs = (0..<3).map { k in
      let component = Gaussian(
        mean: (0..<2).map { Double(means[2 * k + $0]) },
        covariance: [variance(2 * k), 0, 0, variance(2 * k + 1)])
      return built.decoder.pushed(component).adding(1).logDensity(image)
    }
    let exact = log(logs.reduce(0) { $0 + exp($1) } / 3)
    #expect(abs(try estimate(built.model, 20_000) - exact) < 0.01)
  }

  /// z ~ N(c, V Vᵀ + γ₂² I).
  @Test func twoStages() throws {
    var configuration = configured(TwoStageVAE.Configuration())
    configuration.secondHidden = []
    let built = made(TwoStageVAE.self, configuration)
    try built.set("decoder.log_gamma", [-0.2])
    try built.set("secondDecoder.log_gamma", [-0.5])
    try built.set("secondDecoder.output.weight", [0.8, -0.3, 0.2, 0.6])
    try built.set("secondDecoder.output.bias", [0.3, -0.4])
    let codes = built.map("secondDecoder.output").pushed(.standard(2)).adding(exp(-1))
    let exact = built.decoder.pushed(codes).adding(exp(-0.4)).logDensity(image)
    #expect(abs(try estimate(built.model, 40_000) - exact) < 0.02)
  }

  /// Bernoulli, against a quadrature over one dimension.
  @Test func bernoulli() throws {
    var configuration = VAE.Configuration()
    configuration.networks = Networks(LinearNetworks(isSigmoid: true))
    (configuration.latentSize, configuration.likelihood) = (1, .crossEntropy)
    let built = made(VAE.self, configuration)
    let binary = Tensor([0, 1, 1, 0, 1], shape: [1, 1, 5, 1])
    let places = (-800...800).map { Float($0) / 100 }
    let decoded = built.model.decode(Tensor(places, shape: [places.count, 1])).values
    let sum = places.enumerated().reduce(0.0) { sum, place in
      let product = (0..<5).reduce(1.0) { product, pixel in
        let p = Double(decoded[place.offset * 5 + pixel])
        return product * (binary.values[pixel] == 1 ? p : 1 - p)
      }
      return sum + product * exp(-0.5 * Double(place.element * place.element)) * 0.01
    }
    let density = try #require(built.model.density)
    let found = density.estimate(of: binary, draws: 20_000, using: RandomSource(seed: 1))
    #expect(abs(found - log(sum / (2 * Double.pi).squareRoot())) < 0.01)
  }

  /// The same draws give the same bits; models without a density say so.
  @Test func repeatable() throws {
    let built = made(VAE.self, configured(VAE.Configuration()))
    #expect(try estimate(built.model, 130) == estimate(built.model, 130))
    for name in ["ae", "rae", "wae-mmd", "flexae", "vae-iop", "ncp-vae", "fsq"] {
      let shape = ImageShape(height: 28, width: 28, channels: 1)
      let model = try build(name, shape, ["filters": 2, "hiddenSize": 4]).model
      #expect(model.density == nil, "\(name)")
    }
  }
}

/// One fully connected layer each way, to values or to probabilities.
private struct LinearNetworks: Architecture {
  let name = "linear"
  let summary = "one layer each way"
  var isSigmoid = false

  /// Wide posteriors: the weights of importance sampling have a small variance.
  func standardDeviation(_ output: Tensor) -> Tensor { 1.5 * exp(0.1 * output) }

  func encoder(_ scope: Scope, images: ImageShape, outputs: Int, size: NetworkSize)
    -> any EncoderNetwork
  { Encoder(layer: Linear(scope("output"), inputs: images.count, outputs: outputs)) }

  func decoder(_ scope: Scope, images: ImageShape, latentSize: Int, size: NetworkSize)
    -> any DecoderNetwork
  {
    let layer = Linear(scope("output"), inputs: latentSize, outputs: images.count)
    return Decoder(layer: layer, isSigmoid: isSigmoid)
  }

  struct Encoder: EncoderNetwork {
    let layer: Linear
    func callAsFunction(_ images: Tensor, mode: Mode) -> Tensor {
      layer(images.flattened, mode: mode)
    }
  }

  struct Decoder: DecoderNetwork {
    let layer: Linear
    let isSigmoid: Bool
    func callAsFunction(_ codes: Tensor, mode: Mode) -> Tensor {
      let values = layer(codes, mode: mode)
      return (isSigmoid ? sigmoid(values) : values)
        .reshaped(to: [values.shape[0], 1, values.shape[1], 1])
    }
  }
}

private struct Built<M: Model> {
  let store: ParameterStore
  let model: M

  func values(_ name: String) -> [Double] {
    store.parameters.first { $0.name == name }!.value.values.map { Double($0) }
  }

  /// Sets a parameter; returns the first value.
  @discardableResult func set(_ name: String, _ values: [Double]) throws -> Double {
    let parameter = try #require(store.parameters.first { $0.name == name })
    try #require(parameter.shape.count == values.count)
    for (place, value) in values.enumerated() {
      parameter.value.storage.pointer[place] = Float(value)
    }
    return values[0]
  }

  func map(_ layer: String) -> AffineMap {
    AffineMap(weight: values("\(layer).weight"), bias: values("\(layer).bias"))
  }

  var decoder: AffineMap { map("decoder.output") }
}

/// x · weight + bias.
private struct AffineMap {
  /// `[inputs, outputs]`.
  let weight, bias: [Double]

  /// The distribution of the outputs.
  func pushed(_ input: Gaussian) -> Gaussian {
    let (m, d) = (input.mean.count, bias.count)
    let mean = (0..<d).map { j in
      bias[j] + (0..<m).reduce(0) { $0 + input.mean[$1] * weight[$1 * d + j] }
    }
    var covariance = [Double](repeating: 0, count: d * d)
    for i in 0..<d {
      for j in 0..<d {
        for a in 0..<m {
          for b in 0..<m {
            covariance[i * d + j] +=
              weight[a * d + i] * input.covariance[a * m + b] * weight[b * d + j]
          }
        }
      }
    }
    return Gaussian(mean: mean, covariance: covariance)
  }
}

private struct Gaussian {
  let mean, covariance: [Double]

  static func standard(_ size: Int) -> Gaussian {
    Gaussian(
      mean: [Double](repeating: 0, count: size),
      covariance: (0..<size * size).map { $0 % (size + 1) == 0 ? 1 : 0 })
  }

  /// With independent noise of a variance.
  func adding(_ variance: Double) -> Gaussian {
    let size = mean.count
    return Gaussian(
      mean: mean,
      covariance: covariance.enumerated().map { $1 + ($0 % (size + 1) == 0 ? variance : 0) })
  }

  func logDensity(_ x: Tensor) -> Double {
    let d = mean.count
    let factor = choleskyFactor(covariance, size: d)!
    let inverse = inverseOfLowerTriangle(factor, size: d)
    let rest = zip(x.values, mean).map { Double($0) - $1 }
    let squares = (0..<d).reduce(0.0) { sum, i in
      let y = (0..<d).reduce(0) { $0 + inverse[i * d + $1] * rest[$1] }
      return sum + y * y
    }
    let logDeterminant = (0..<d).reduce(0) { $0 + log(factor[$1 * d + $1]) }
    return -0.5 * squares - logDeterminant - 0.5 * Double(d) * log(2 * Double.pi)
  }
}
