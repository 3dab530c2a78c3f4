import LatheData
import Foundation
import LatheNN
import LatheModels
import TestSupport
import LatheTensors
import Testing

@Suite struct DeterministicModelTests {
  /// As counted from the released code's layers; its MNIST images are padded to 32 × 32.
  @Test(arguments: [
    (ImageShape(height: 32, width: 32, channels: 1), 11_083_408, 11_606_273),
    (ImageShape(height: 32, width: 32, channels: 3), 11_546_368, 18_954_499),
    (ImageShape(height: 64, width: 64, channels: 3), 18_267_200, 21_475_331),
  ])
  func parameterCounts(_ images: ImageShape, _ encoder: Int, _ decoder: Int) throws {
    for name in ["ae", "rae", "injflow"] {
      let store = try build(name, images).0
      #expect(store.parameterCount(of: "encoder") == encoder, "\(name)")
      #expect(store.parameterCount(of: "decoder") == decoder, "\(name)")
    }
  }

  @Test func secondStageParameterCounts() throws {
    let store = try build("two-stage-vae", ImageShape(height: 28, width: 28, channels: 1)).0
    #expect(store.parameterCount(of: "secondEncoder") == 2_305_152)
    #expect(store.parameterCount(of: "secondDecoder") == 2_235_457)
    #expect(store.parameterCount(of: "encoder") == 6_689_344)
  }

  @Test func stagesFollowOneAnother() throws {
    let images = ImageShape(height: 8, width: 8, channels: 1)
    let blocks = try build("two-stage-vae", images, ["firstStageSteps": 7]).1.boundStep
    #expect(blocks.map(\.steps) == [0..<7, 7..<Int.max])
    #expect(
      blocks.map { $0.phases[0].groups } == [
        ["encoder", "decoder"], ["secondEncoder", "secondDecoder"],
      ])
    for name in ["two-stage-vae", "ncp-vae"] {
      #expect(try build(name, images).1.boundStep.map(\.steps) == [0..<500, 500..<Int.max])
    }
  }

  // MARK: Finite scalar quantization

  private static func fsqSettings(levels: Int) -> [String: Any] {
    ["latentSize": 3, "levels": levels, "priorHidden": [8], "networks": "mlp", "hiddenSize": 8]
  }

  private func fsq(_ settings: [String: Any]) throws -> FSQ {
    let model = try build("fsq", ImageShape(height: 8, width: 8, channels: 1), settings).model
    return try #require(model as? FSQ)
  }

  /// Codes keep to their levels, which are those of the published formula.
  @Test(arguments: [
    (2, [-1.0, 0]), (3, [-1, 0, 1]), (4, [-1, -0.5, 0, 0.5]),
    (5, [-1, -0.5, 0, 0.5, 1]),
  ])
  func levelsOfCodes(_ levels: Int, _ expected: [Double]) throws {
    let settings = Self.fsqSettings(levels: levels)
    let x = Tensor(stride(from: -6, through: 6, by: 0.004).map { Float($0) }, shape: [1, 3001])
    let codes = try fsq(settings).rounded(x).values
    #expect(Set(codes.map { Double($0) }).sorted() == expected)
    #expect(codes == codes.sorted() && codes[1500] == 0)
  }

  /// The prior's probabilities sum to 1 over all codes, and are how often each is drawn.
  @Test func codesAreDrawnAsOftenAsTheyAreLikely() throws {
    let model = try fsq(Self.fsqSettings(levels: 4))
    let levels: [Float] = [-1, -0.5, 0, 0.5]
    let all: [[Float]] = levels.flatMap { a in levels.flatMap { b in levels.map { [a, b, $0] } } }
    let logs = model.logProbability(of: Tensor(all.flatMap { $0 }, shape: [64, 3])).values
    let chances = logs.map { exp(Double($0)) }
    #expect(abs(chances.reduce(0, +) - 1) < 1e-5)
    let count = 6400
    let drawn = model.samplers[0].draw(count, RandomSource(seed: 2)).values
    let found = Dictionary(
      grouping: stride(from: 0, to: 3 * count, by: 3).map { Array(drawn[$0..<$0 + 3]) }
    ) { $0 }
    // χ² with 63 degrees of freedom: above 110 once in 4,000 times.
    var square = 0.0
    for (code, chance) in zip(all, chances) {
      let expected = chance * Double(count)
      let difference = Double(found[code]?.count ?? 0) - expected
      square += difference * difference / expected
    }
    #expect(square < 110 && square > 30, "\(square)")
    #expect(Set(chances.map { Int(1e4 * $0) }).count > 10)
  }

  /// The estimate of a spectrally normalised layer's largest singular value moves in training, and
  /// only then.
  @Test func spectralNormOfTheDecoder() throws {
    let images = ImageShape(height: 8, width: 8, channels: 1)
    let (store, model) = try build("rae", images, ["regularization": "sn", "filters": 2])
    let vectors = store.buffers.filter { $0.name.hasSuffix(".u") }
    #expect(
      Set(vectors.map(\.name))
        == Set(
          ["hidden", "conv0", "conv1", "conv2"].map { "decoder.\($0).u" }
            + ["conv0", "conv1", "conv2", "conv3", "codes"].map { "encoder.\($0).u" }))
    let (values, seen) = (
      Arena(count: store.values.count), Arena(count: store.bufferValues.count)
    )
    let before = vectors.map(\.value.values)
    _ = model.decode(Tensor(filledWith: 0.5, shape: [2, 16]))
    #expect(vectors.map(\.value.values) == before)
    let phase = model.boundStep[0].phases[0]
    store.bindGradientBuffers(
      of: phase.groups, gradients: values.pointer, statisticsUpdates: seen.pointer, owner: store)
    let random = RandomSource(seed: 2)
    _ = phase.loss(Batch(images: random.uniform("images", [4, 8, 8, 1]), random: random, step: 0))
    store.unbindGradientBuffers()
    store.updateRunningStatistics(from: seen.pointer, slices: 1)
    for (vector, old) in zip(vectors, before) { #expect(vector.value.values != old) }
  }

  /// A power iteration that never moves leaves σ an estimate by a random vector.
  @Test(arguments: Networks.standard)
  func spectralNormMovesOnAnyNetworks(_ networks: Networks) throws {
    let images = ImageShape(height: 28, width: 28, channels: 1)
    let (store, model) = try build(
      "rae", images,
      ["regularization": "sn", "networks": networks.name, "filters": 2, "hiddenSize": 8])
    let vectors = store.buffers.filter { $0.name.hasSuffix(".u") }
    #expect(vectors.count >= 7)
    let before = vectors.map(\.value.values)
    let (gradients, seen) = (
      Arena(count: store.values.count), Arena(count: store.bufferValues.count)
    )
    let phase = model.boundStep[0].phases[0]
    store.bindGradientBuffers(
      of: phase.groups, gradients: gradients.pointer, statisticsUpdates: seen.pointer, owner: store)
    let random = RandomSource(seed: 2)
    let batch = Batch(images: random.uniform("images", [4, 28, 28, 1]), random: random, step: 0)
    _ = phase.loss(batch)
    store.unbindGradientBuffers()
    store.updateRunningStatistics(from: seen.pointer, slices: 1)
    for (vector, old) in zip(vectors, before) {
      #expect(vector.value.values != old, "\(vector.name)")
    }
  }

  @Test func modelsWithoutASamplerSayWhatTheyHave() throws {
    let model = try build("ae", ImageShape(height: 8, width: 8, channels: 1)).1
    let error = #expect(throws: SamplerError.self) { try model.sampler(named: .prior) }
    let words = "ae: no sampler 'prior'; it has aggregated-posterior, gmm, dirichlet-gmm, flow"
    #expect(error?.description == words)
    #expect(try model.sampler(named: .gmm) == nil)
  }
}
