import LatheFiles
import LatheModels
import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct ConditionalTests {
  private static let shape = ImageShape(height: 8, width: 8, channels: 1)

  private func model(_ name: String) throws -> (store: ParameterStore, model: any Model) {
    let settings: [String: Any] = [
      "latentSize": 2, "labelSize": 3, "networks": "flexae-conv", "filters": 2, "hiddenSize": 8,
    ]
    let built = try build(name, Self.shape, settings)
    try #require(built.model.labels).learn(count: 6) { Self.label($0 % 3) }
    return built
  }

  private static func label(_ number: Int) -> [Float] { (0..<3).map { $0 == number ? 1 : 0 } }

  /// Images of classes 0, 1, 2, 0 …
  private func images(_ count: Int) -> Tensor {
    RandomSource(seed: 1).uniform("images", [count, 8, 8, 1])
      .labelled(Tensor((0..<count).flatMap { Self.label($0 % 3) }, shape: [count, 3]))
  }

  private static let names = [
    "vae", "beta-vae", "info-vae", "factor-vae", "wae-mmd", "wae-gan", "aae", "ae", "rae", "cwae",
    "swae",
  ]

  /// Codes end with the labels of their images, and so do those of samplers; the decoder makes
  /// other images of other labels; losses depend on them.
  @Test(arguments: names) func labelsFollowCodes(_ name: String) throws {
    let (_, model) = try model(name)
    let images = images(6)
    let random = RandomSource(seed: 2)
    for codes in [model.encode(images), model.sampleCodes(of: images, using: random)] {
      #expect(codes.shape == [6, 5])
      #expect(codes.slice(2..<5, axis: 1).values == images.labels?.values)
      #expect(model.withoutLabels(codes).values == codes.slice(0..<2, axis: 1).values)
    }
    #expect(model.samplers.isEmpty == (name == "ae"))
    for sampler in model.samplers {
      let counts = sampler.draw(600, random).slice(2..<5, axis: 1).sum(0).values
      #expect(counts.reduce(0, +) == 600 && counts.allSatisfy { abs($0 - 200) < 60 }, "\(counts)")
      let drawFor = try #require(sampler.drawFor)
      let labels = Tensor(Self.label(2), shape: [1, 3])
      #expect(drawFor(labels, random).slice(2..<5, axis: 1).values == labels.values)
    }
    let decoded = (0..<3).map { number in
      model.decode(Tensor([0.5, -0.5] + Self.label(number), shape: [1, 5])).values
    }
    #expect(decoded[0] != decoded[1] && decoded[1] != decoded[2])
    let phase = model.boundStep[0].phases[0]
    let others = RandomSource(seed: 1).uniform("images", [6, 8, 8, 1])
      .labelled(Tensor((0..<6).flatMap { _ in Self.label(1) }, shape: [6, 3]))
    let losses = [images, others].map {
      phase.loss(Batch(images: $0, random: random, step: 0)).total.scalar
    }
    #expect(losses[0].isFinite && losses[0] != losses[1])
  }

  /// Every other model says that it cannot.
  @Test func othersAreRefused() throws {
    let rest = ModelRegistry.standard.names.filter { !Self.names.contains($0) }
    let images = ImageShape(height: 32, width: 32, channels: 1)
    for name in rest {
      #expect(
        try refusal(name, images, ["labelSize": 3])
          == "labelSize: expected 0, since \(name) is never conditional, found 3")
    }
  }

  /// Codes of class 0 lie around (4, 0), of class 1 around (-4, 0); of class 2 there are none. A
  /// sampler draws each where it lies, before it is saved and after.
  @Test func eachClassHasASampler() throws {
    let labels = try #require(try model("vae").model.labels)
    let noise = RandomSource(seed: 3).normal("noise", [400, 2]).values
    let codes = (0..<400).flatMap { row -> [Double] in
      let place: Double = row % 2 == 0 ? 4 : -4
      return [place + Double(noise[2 * row]), Double(noise[2 * row + 1])]
        + Self.label(row % 2).map { Double($0) }
    }
    let shares = CodeShares(codes, latentSize: 5)
    let fitted = try ClassSamplers<GaussianMixture>.fitted(
      to: shares, labels, using: RandomSource(seed: 4))
    let saved = Dictionary(uniqueKeysWithValues: fitted.tensors.map { ($0.name, $0.value) })
    let read = try ClassSamplers<GaussianMixture>(labels) { name in
      guard let tensor = saved[name] else { throw SamplerError.unusable(.gmm, name) }
      return tensor
    }
    let wanted = Tensor((0..<300).flatMap { Self.label($0 % 2) }, shape: [300, 3])
    let drawn = [fitted, read].compactMap(\.sampler.drawFor).map {
      $0(wanted, RandomSource(seed: 5)).values
    }
    try #require(drawn.count == 2)
    #expect(drawn[0].count == 1500 && drawn[0] == drawn[1])
    for row in 0..<300 {
      #expect((drawn[0][5 * row] > 0) == (row % 2 == 0))
      #expect(Array(drawn[0][5 * row + 2..<5 * row + 5]) == Self.label(row % 2))
    }
  }

  /// A program's own model can be conditional: trained on images that only their labels tell apart,
  /// its decoder makes of each label what it stands for.
  @Test func aModelOfOnesOwn() throws {
    var configuration = OwnModel.Configuration()
    (configuration.latentSize, configuration.networks) = (2, .mlp)
    (configuration.autoencoder.hiddenSize, configuration.autoencoder.labelSize) = (16, 3)
    let store = ParameterStore(seed: 3)
    let model = OwnModel(store.root, images: Self.shape, configuration: configuration)
    store.layOut()
    let images = Tensor(
      (0..<6).flatMap { row in
        [Float](repeating: Float(row % 3) / 2, count: 64)
      }, shape: [6, 8, 8, 1]
    ).labelled(
      Tensor((0..<6).flatMap { Self.label($0 % 3) }, shape: [6, 3]))
    try #require(model.labels).learn(count: 6) { Self.label($0 % 3) }
    let phase = model.boundStep[0].phases[0]
    let optimizer = Optimizer(phase.rule, groups: phase.groups, of: store)
    let (sums, unused) = (Arena(count: store.values.count), Arena(count: store.bufferValues.count))
    for step in 0..<300 {
      store.bindGradientBuffers(
        of: phase.groups, gradients: sums.pointer, statisticsUpdates: unused.pointer, owner: sums)
      let loss = phase.loss(Batch(images: images, random: RandomSource(seed: 1), step: step))
      backpropagate(loss.total, into: store.variables(of: phase.groups))
      store.unbindGradientBuffers()
      _ = optimizer.update(along: sums.pointer, scale: 1, step: step)
    }
    for number in 0..<3 {
      let decoded = model.decode(Tensor([0, 0] + Self.label(number), shape: [1, 5])).values
      #expect(decoded.allSatisfy { abs($0 - Float(number) / 2) < 0.1 }, "\(number): \(decoded[0])")
    }
  }

  /// Labels that are attributes have one sampler, and an attribute that is asked for is there.
  @Test func attributes() throws {
    let labels = try #require(try model("ae").model.labels)
    labels.learn(count: 4) { [1, $0 % 2 == 0 ? 1 : 0, 0] }
    #expect(!labels.areClasses)
    #expect(labels.classes(of: Tensor([1, 0, 0, 0, 1, 1], shape: [2, 3])) == [0, 0])
    let rows = labels.drawn(50, of: 2, RandomSource(seed: 1)).values
    #expect((0..<50).allSatisfy { rows[3 * $0] == 1 && rows[3 * $0 + 2] == 1 })
    let second = (0..<50).filter { rows[3 * $0 + 1] == 1 }.count
    #expect((10...40).contains(second))
  }
}

/// A conditional model that knows its images by their labels alone.
private struct OwnModel: AutoencoderModel {
  static let name = "own"
  static let summary = "decodes labels"
  static let source = "none"
  static let takesLabels = true

  typealias Group = AutoencoderGroup

  struct Configuration: AutoencoderConfiguration {
    var autoencoder = AutoencoderSettings(.mlp, latentSize: 2)
    init() {}
  }

  let configuration: Configuration
  let networks: AutoencoderNetworks

  static func configuration(for images: ImageShape, steps: Int) -> Configuration { Configuration() }

  init(_ scope: Scope, images: ImageShape, configuration: Configuration) {
    self.configuration = configuration
    networks = AutoencoderNetworks(scope, images: images, settings: configuration.autoencoder)
  }

  var step: [Block<Self>] {
    [
      Block(
        Phase("reconstruction", updates: [.encoder, .decoder], by: .adam(.constant(0.01))) {
          model, batch in
          let codes = model.networks.encoder(batch.images, mode: batch.mode)
          let decoded = model.networks.decoded(0 * codes, of: batch.images, mode: batch.mode)
          return Losses((batch.images - decoded).squared.mean())
        })
    ]
  }
}
