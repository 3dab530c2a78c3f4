import LatheData
import Foundation
import LatheNN
import LatheModels
import LatheTensors
import TestSupport
import Testing

@Suite struct AdversarialModelTests {
  static let mnist = ImageShape(height: 28, width: 28, channels: 1)
  static let cifar10 = ImageShape(height: 32, width: 32, channels: 3)
  static let celebA = ImageShape(height: 64, width: 64, channels: 3)

  // MARK: Parameter counts

  @Test(arguments: [
    (48, [4_001_840, 4_002_576, 3_200_001, 48]), (64, [4_018_240, 4_018_960, 3_216_385, 64]),
  ])
  func maskaaeParameterCounts(_ m: Int, _ counts: [Int]) throws {
    let (store, _) = try build("maskaae", Self.mnist, ["latentSize": m], drawn: false)
    let groups = ["encoder", "decoder", "critic", "mask"]
    #expect(groups.map { store.parameterCount(of: $0) } == counts)
    let (unmasked, _) = try build("aae", Self.mnist, ["latentSize": m], drawn: false)
    #expect(unmasked.parameterCount() == counts[..<3].reduce(0, +))
  }

  @Test(arguments: [(mnist, 6_556_865), (cifar10, 8_524_993), (celebA, 33_690_817)])
  func imageCriticParameterCounts(_ images: ImageShape, _ count: Int) throws {
    let (smooth, _) = try build("flexae", images, ["smoothing": true], drawn: false)
    #expect(smooth.parameterCount(of: "image_critic") == count)
    let (plain, _) = try build("flexae", images, drawn: false)
    #expect(smooth.parameterCount() - count == plain.parameterCount())
    #expect(!plain.groupNames.contains("image_critic"))
  }

  @Test func waeParameterCounts() throws {
    let (store, _) = try build("wae-gan", Self.mnist, drawn: false)
    #expect(store.parameterCount(of: "encoder") == 11_050_632)
    #expect(store.parameterCount(of: "decoder") == 10_943_745)
    // 8 → 512 → 512 → 512 → 512 → 1.
    #expect(store.parameterCount(of: "discriminator") == 9 * 512 + 3 * 513 * 512 + 513)
  }

  // MARK: FlexAE-SR

  @Test func smoothingRunsBetweenCriticsAndGenerator() throws {
    let (_, model) = try build("flexae", Self.mnist, ["smoothing": true], drawn: false)
    let blocks = model.boundStep
    #expect(
      blocks.map { $0.phases.map(\.name) } == [
        ["reconstruction"], ["critic", "image-critic"], ["smoothing", "generator", "encoder"],
      ])
    #expect(blocks.map(\.repeats) == [1, 5, 1] && blocks.map(\.draws) == [1, 10, 0])
    let vectors = ImageShape(height: 1, width: 128, channels: 1)
    let problem = try refusal("flexae", vectors, ["networks": "mlp", "smoothing": true])
    #expect(try #require(problem).contains("multiples of 4"))
  }

  // MARK: FlexAE's generator without layers

  private static var identity: [String: Any] {
    [
      "generatorHidden": [Int](), "noiseSize": 6, "latentSize": 6, "filters": 2, "hiddenSize": 8,
      "criticHidden": [16],
    ]
  }

  @Test func aGeneratorWithoutLayersStartsAsTheNormalDistribution() throws {
    let (store, model) = try build("flexae", Self.mnist, Self.identity)
    #expect(store.parameterCount(of: "generator") == 12)
    let random = RandomSource(seed: 8)
    let drawn = try #require(try model.sampler(named: .prior)).draw(50, random)
    #expect(drawn.values == random.normal("noise", [50, 6]).values)
    let problem = try refusal(
      "flexae", Self.mnist, Self.identity.merging(["noiseSize": 7]) { $1 })
    #expect(
      problem == "noiseSize: expected 6, the latentSize, where generatorHidden is [], found 7")
  }

  /// −E[C(s ⊙ n + t)] by s and t: central differences, and for a linear critic, C(z) = w · z + c,
  /// −w ⊙ E[n] and −w.
  @Test(arguments: [[16], []]) func gradientsOfAGeneratorWithoutLayers(_ hidden: [Int]) throws {
    let (store, model) = try build(
      "flexae", Self.mnist, Self.identity.merging(["criticHidden": hidden]) { $1 })
    let phase = try #require(model.boundStep.flatMap(\.phases).first { $0.name == "generator" })
    let random = RandomSource(seed: 9)
    let batch = Batch(images: random.uniform("images", [8, 28, 28, 1]), random: random, step: 0)
    let found = gradients(of: phase, batch, store)
    for (parameter, gradient) in zip(store.parameters(of: ["generator"]), found) {
      let values = parameter.value.storage.pointer
      let estimates = gradient.indices.map { entry in
        let (kept, shift) = (values[entry], Float(1) / 1024)
        defer { values[entry] = kept }
        values[entry] = kept + shift
        let above = phase.loss(batch).total.scalar
        values[entry] = kept - shift
        return (above - phase.loss(batch).total.scalar) / (2 * shift)
      }
      expectClose(estimates, gradient, relative: 0.02, absolute: 1e-3, parameter.name)
    }
    guard hidden.isEmpty else { return }
    let weight = try #require(store.parameters.first { $0.name == "critic.output.weight" }).value
    let means = random.normal("noise", [8, 6]).mean(0).values
    expectClose(found[0], zip(weight.values, means).map { -$0 * $1 }, relative: 1e-5, "scale")
    expectClose(found[1], weight.values.map { -$0 }, relative: 1e-5, "shift")
  }

  /// The last critic phases' codes, generated codes and interpolations serve the phases after them.
  @Test(arguments: [false, true]) func phasesShareResultsOfABatch(_ smoothing: Bool) throws {
    let (store, model) = try build(
      "flexae", Self.mnist,
      [
        "latentSize": 6, "noiseSize": 6, "filters": 2, "hiddenSize": 8, "criticHidden": [16],
        "generatorHidden": [16], "smoothing": smoothing,
      ])
    let phases = model.boundStep.dropFirst().flatMap(\.phases)
    let random = RandomSource(seed: 21)
    func found(_ shared: SharedResults?) -> (gradients: [[Float]], convolutions: Int) {
      let batch = Batch(
        images: random.uniform("images", [4, 28, 28, 1]),
        otherImages: random.uniform("others", [4, 28, 28, 1]), random: random, step: 0,
        shared: shared)
      let (sums, trace) = (Arena(count: store.values.count), Trace())
      let found = phases.map { phase in
        defer { batch.groupsMoved(phase.groups) }
        return trace.record { gradients(of: phase, batch, store, into: sums).flatMap { $0 } }
      }
      return (found, trace.steps.count { if case .conv2d = $0.operation { true } else { false } })
    }
    let (apart, together) = (found(nil), found(SharedResults(store)))
    #expect(apart.gradients == together.gradients)
    #expect(apart.gradients.allSatisfy { $0.contains { $0 != 0 } })
    // Two convolutions in each pass through the encoder that is spared.
    #expect(apart.convolutions - together.convolutions == (smoothing ? 6 : 2))
  }

  @Test func aResultIsComputedAgainOnceItsGroupHasMoved() throws {
    enum Group: String, ParameterGroup { case encoder, critic }
    let (store, _) = try build("aae", Self.mnist, ["hiddenSize": 8, "criticHidden": [8]])
    let batch = Batch(
      images: Tensor(filledWith: 0, shape: [1]), random: RandomSource(seed: 1), step: 0,
      shared: SharedResults(store))
    var count = 0
    func ask() {
      _ = batch.once("codes", by: Group.encoder) {
        count += 1
        return batch.images
      }
    }
    ask()
    batch.groupsMoved([Group.critic.rawValue])
    ask()
    #expect(count == 1)
    batch.groupsMoved([Group.encoder.rawValue])
    ask()
    #expect(count == 2)
  }

  private func gradients(
    of phase: BoundPhase, _ batch: Batch, _ store: ParameterStore, into sums: Arena? = nil
  ) -> [[Float]] {
    let found = sums ?? Arena(count: store.values.count)
    let unused = Arena(count: store.bufferValues.count)
    store.bindGradientBuffers(
      of: phase.groups, gradients: found.pointer, statisticsUpdates: unused.pointer, owner: store)
    defer { store.unbindGradientBuffers() }
    backpropagate(phase.loss(batch).total, into: store.variables(of: phase.groups))
    return store.parameters(of: phase.groups).map { $0.range.map { found.pointer[$0] } }
  }

  // MARK: MaskAAE

  @Test func theMaskIsWhereEverCodesAre() throws {
    let (store, model) = try build(
      "maskaae", Self.mnist, ["latentSize": 6, "hiddenSize": 16, "criticHidden": [8]])
    let weights = store.parameters.first { $0.name == "mask.openness" }!.value
    #expect(weights.values.allSatisfy { (0..<5).contains($0) })
    let values: [Float] = [0, 0.05, 0.2, 1, 3, 5]
    for (place, value) in values.enumerated() { weights.storage.pointer[place] = value }
    let mask = try #require(model.latentMask)
    expectClose(mask.values, values.map { 1 - exp(-$0) }, relative: 1e-6, absolute: 1e-7, "mask")
    let random = RandomSource(seed: 4)
    let drawn = model.samplers[0].draw(5000, random)
    let spread = drawn.squared.mean(0)
    expectClose(spread.values, mask.squared.values, relative: 0.1, "prior times mask")
    let codes = model.encode(random.uniform("images", [4, 28, 28, 1]))
    #expect(codes.slice(0..<1, axis: 1).values.allSatisfy { $0 == 0 })
    #expect(codes.slice(2..<6, axis: 1).values.allSatisfy { $0 != 0 })
    // α ≥ 0.1 from w = 0.105 on: four of the six.
    #expect(try maskTerms(model, step: 0)["activeDimensions"] == 4)
    #expect(try build("aae", Self.mnist, drawn: false).model.latentMask == nil)
  }

  /// A mask that starts at U(0, 5) and moves by its rate a step is said to be stuck where it cannot
  /// come from 5 to 0 before c's cap.
  ///
  /// So it is as published up to m = 20, and in shorter schedules unless its rate grows with them.
  @Test(arguments: [
    (16, 0, 0.0, 500_000, true), (64, 0, 0, 500_000, false), (64, 72, 0, 5000, false),
    (64, 72, 5e-4, 5000, true), (64, 0, 0, 5000, true), (16, 75, 2e-3, 5000, false),
  ])
  func aMaskThatCannotTravelIsSaid(
    _ m: Int, _ schedule: Int, _ rate: Double, _ steps: Int, _ isStuck: Bool
  ) throws {
    let (_, model) = try build(
      "maskaae", Self.mnist,
      ["latentSize": m, "scheduleSteps": schedule, "maskRate": rate],
      drawn: false)
    #expect(model.remarks(steps: steps).isEmpty != isStuck)
  }

  static let weights: [(m: Int, step: Int, c: Double)] = [
    (16, 0, 0.125), (16, 299, 0.125), (16, 300, 0.25), (16, 4199, 1024), (16, 4200, 2048),
    (16, 400_000, 2048), (32, 14_399, 0.0625), (32, 14_400, 0.125), (32, 216_000, 2048),
    (110, 500_000, 2.0 / 110 * 4096), (110, 680_000, 2048),
  ]

  /// c from what the mask's loss has besides its other terms, at steps around those of the
  /// published schedule.
  @Test(arguments: weights)
  func maskRegularizerWeight(_ m: Int, _ step: Int, _ c: Double) throws {
    let (_, model) = try build(
      "maskaae", Self.mnist,
      ["latentSize": m, "hiddenSize": 8, "criticHidden": [8], "maskReconstructionWeight": 0])
    let terms = try maskTerms(model, step: step)
    let unit = m == 16 ? 75 : min(10_000, m * 225 / 2)
    let share = step < 5 * unit ? 1.0 : 0.2
    let squared = pow(1 - Double(terms["distance"]!), 2)
    let found = (Double(terms["total"]!) / share - squared) / Double(terms["maskRegularizer"]!)
    expectClose([Float(found)], [Float(c)], relative: 1e-3, "c at step \(step) for m = \(m)")
  }

  private func maskTerms(_ model: any Model, step: Int) throws -> [String: Float] {
    let random = RandomSource(seed: 5)
    let batch = Batch(
      images: random.uniform("images", [8, 28, 28, 1]), random: random, step: step)
    let phase = try #require(model.boundStep.flatMap(\.phases).first { $0.name == "mask" })
    let losses = phase.loss(batch)
    return Dictionary(
      uniqueKeysWithValues: ([("total", losses.total)] + losses.terms).map { ($0.0, $0.1.scalar) })
  }

  // MARK: Wasserstein autoencoders

  @Test func inputNoiseIsTruncated() {
    let noise = RandomSource(seed: 6).truncatedNormal("input", [20_000])
    #expect(noise.values.allSatisfy { $0.magnitude <= 2 })
    // Variance of a standard normal number held to ±2: 1 − 4 φ(2) / (2 Φ(2) − 1).
    expectClose([noise.squared.mean().scalar], [0.77374], relative: 0.02, "variance")
  }

  @Test(arguments: ["wae-gan", "wae-mmd"]) func pretrainingComesFirst(name: String) throws {
    let (_, model) = try build(name, Self.mnist, ["pretrainingSteps": 7], drawn: false)
    let blocks = model.boundStep
    #expect(blocks.map { $0.phases[0].name } == ["pretraining", "autoencoder"])
    #expect(blocks[0].phases.map(\.groups) == [["encoder"]])
    #expect(blocks.map(\.steps) == [0..<7, 7..<Int.max])
    let problem = try refusal(name, Self.mnist, ["milestones": [10, 20]])
    #expect(problem == "milestoneFactors: expected 2, one for each milestone, found 0")
    let (_, plain) = try build(name, Self.mnist, drawn: false)
    #expect(plain.boundStep.count == 1 && plain.boundStep[0].steps == 0..<Int.max)
  }

  /// The golden file of `wae-mmd` has the loss; the other model, with the same encoder, has the
  /// same one, bit by bit.
  @Test func bothPretrainAlike() throws {
    let losses = try ["wae-gan", "wae-mmd"].map { name in
      let (_, model) = try build(name, Self.mnist, ["pretrainingSteps": 7, "filters": 4])
      let random = RandomSource(seed: 5)
      let batch = Batch(
        images: random.uniform("images", [8, 28, 28, 1]), random: random, step: 0)
      let found = model.boundStep[0].phases[0].loss(batch)
      return ([("total", found.total)] + found.terms).map { $0.1.scalar }
    }
    #expect(losses[0] == losses[1] && losses[0].count == 3)
    #expect(losses[0][0] > 0.01 && losses[0][0] == losses[0][1] + losses[0][2], "\(losses)")
  }

  // MARK: Gradients of penalties, by central differences

  /// The narrow models' critic losses, penalty included, in single precision.
  ///
  /// A ReLU whose sign an entry's shift turns makes that entry's estimate worthless, and a few do;
  /// a gradient without its second-order part, or scaled, is off everywhere.
  @Test(arguments: [
    ("flexae", "critic"), ("flexae-smoothing", "critic"), ("flexae-smoothing", "image-critic"),
    ("flexae-smoothing", "smoothing"), ("aae", "critic"), ("maskaae", "critic"),
    ("maskaae", "mask"),
  ])
  func gradientsAreThoseOfCentralDifferences(_ file: String, _ name: String) throws {
    let replay = try Replay(try GoldenCase(file))
    #expect(try agreement(replay, name, scale: 1) > 0.7)
    #expect(try agreement(replay, name, scale: 1.2) < 0.3)
  }

  /// The share of a phase's gradient entries, `scale` times as large, that central differences
  /// confirm.
  private func agreement(_ replay: Replay, _ name: String, scale: Float) throws -> Double {
    let (phase, draw) = try #require(replay.firstRuns.first { $0.phase.name == name })
    let batch = try replay.batch(step: 5, draw: draw)
    _ = replay.differentiate(phase, batch)
    var (right, all) = (0, 0)
    for parameter in replay.store.parameters
    where phase.groups.contains(where: { parameter.name.hasPrefix($0 + ".") }) {
      let gradient = replay.gradient(of: parameter).values.map { $0 * scale }
      let largest = gradient.map(\.magnitude).max()!
      let values = parameter.value.storage.pointer
      // The entries with large gradients, which rounding does not hide.
      let entries = gradient.indices.filter { gradient[$0].magnitude > 0.3 * largest }.prefix(6)
      for entry in entries where largest > 0.05 {
        let (kept, shift) = (values[entry], Float(1) / 1024)
        values[entry] = kept + shift
        let above = phase.loss(batch).total.scalar
        values[entry] = kept - shift
        let below = phase.loss(batch).total.scalar
        values[entry] = kept
        all += 1
        let estimate = (above - below) / (2 * shift)
        if (estimate - gradient[entry]).magnitude < 0.05 * gradient[entry].magnitude { right += 1 }
      }
    }
    #expect(all >= 1, "entries with a gradient")
    return Double(right) / Double(max(all, 1))
  }

  /// The penalty of a smooth critic with convolutions, at every entry of its kernels.
  @Test func penaltyThroughConvolutionsIsDifferentiated() {
    let points = RandomSource(seed: 7).uniform("points", [3, 6, 6, 2])
    expectGradients(
      of: { kernels in
        gradientPenalty(
          of: { x in
            let half = softplus(convolution(x, kernels[0], stride: 2))
            let small = tanh(convolution(half, kernels[1], stride: 1, padding: .valid))
            return matmul(small.flattened, kernels[2])
          }, at: points)
      }, at: [[4, 4, 2, 3], [2, 2, 3, 4], [16, 1]])
  }
}
