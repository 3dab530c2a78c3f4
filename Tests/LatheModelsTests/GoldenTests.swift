import LatheData
import Foundation
import LatheFiles
import LatheNN
import LatheModels
import LatheTensors
import TestSupport
import Testing

/// A file of PyTorch's values, whose metadata say which lathe model must reproduce them, and how it
/// is built.
struct GoldenCase: Sendable, CustomTestStringConvertible {
  let file: String
  let model: String
  let images: ImageShape
  /// Every hyperparameter, as JSON.
  let configuration: String
  /// Names of the noise in the file, and the purposes for which the model draws it.
  let noise: [String: String]

  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "Golden")

  /// Every file of the folder.
  static let all: [GoldenCase] = {
    let names = try! FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
    return names.filter { $0.hasSuffix(".safetensors") }.map {
      try! GoldenCase(String($0.dropLast(".safetensors".count)))
    }
  }()

  init(_ file: String) throws {
    self.file = file
    let golden = try GoldenCase.golden(file)
    func decoded<Value: Decodable>(_ key: String, as type: Value.Type) throws -> Value {
      try JSONDecoder().decode(type, from: Data(golden.metadata[key]!.utf8))
    }
    model = golden.metadata["model"]!
    let sizes = try decoded("images", as: [Int].self)
    images = ImageShape(height: sizes[0], width: sizes[1], channels: sizes[2])
    configuration = golden.metadata["configuration"]!
    noise = try decoded("noise", as: [String: String].self)
  }

  /// Whether there is a curve that a float32 run reproduces with Adam's own ε.
  var hasSteadyCurves: Bool {
    (try? GoldenCase.golden(file))?.metadata["steady curves"].map { $0 != "[]" } ?? false
  }

  /// The same with another configuration.
  init(_ other: GoldenCase, configuration: String) {
    (file, model, images, noise) = (other.file, other.model, other.images, other.noise)
    self.configuration = configuration
  }

  static func golden(_ file: String) throws -> Golden {
    try Golden(folder.appending(path: "\(file).safetensors").path)
  }

  var testDescription: String { file }
}

/// Names of terms in the files, where they are others than in the log.
private let goldenTerms = [
  "kl": "divergence", "mmd": "discrepancy", "maskedDimensionVariance": "closedVariance",
  "maskRegularizer": "indecision",
]

/// lathe's model with PyTorch's weights, trained on PyTorch's data and noise.
final class Replay {
  let golden: Golden
  let store = ParameterStore(seed: 0)
  let blocks: [BoundBlock]
  private let test: GoldenCase
  private let optimizers: [String: Optimizer]
  private let gradients, statisticsUpdates: Arena

  /// `epsilon` replaces Adam's.
  init(_ test: GoldenCase, epsilon: Float = 1e-8) throws {
    self.test = test
    golden = try GoldenCase.golden(test.file)
    let entry = try #require(ModelRegistry.standard[test.model])
    let given = try JSONDecoder().decode(
      [String: JSONValue].self, from: Data(test.configuration.utf8))
    let model = try entry.make(store.root, test.images, entry.resolve(given, test.images, 1000))
    store.layOut()
    blocks = model.boundStep
    var optimizers: [String: Optimizer] = [:]
    for phase in blocks.flatMap(\.phases) {
      var rule = phase.rule
      if case .adam(let rate, let beta1, let beta2, _) = rule {
        rule = .adam(rate, beta1: beta1, beta2: beta2, epsilon: epsilon)
      }
      optimizers[phase.name] = Optimizer(rule, groups: phase.groups, of: store)
    }
    self.optimizers = optimizers
    gradients = Arena(count: store.values.count)
    statisticsUpdates = Arena(count: store.bufferValues.count)
    try loadInitialValues()
  }

  /// Everything that lathe has must be in the file, and nothing else.
  private func loadInitialValues() throws {
    #expect(Set(tensors.map(\.name)) == Set(golden.names(under: "initial.")))
    for (name, tensor) in tensors {
      let value = try golden.tensor("initial.\(name)")
      #expect(value.shape == tensor.shape, "\(name)")
      tensor.storage.pointer.update(from: value.storage.pointer, count: value.shape.count)
    }
  }

  var tensors: [(name: String, value: Tensor)] {
    store.parameters.map { ($0.name, $0.value.detached) }
      + store.buffers.map { ($0.name, $0.value) }
  }

  /// The images and noise of a draw: the file's leading axes are the step and, with several draws a
  /// step, the draw.
  func batch(step: Int, draw: Int) throws -> Batch {
    let images = try pick("images", step, draw)!
    var given: [String: Tensor] = [:]
    for (name, purpose) in test.noise { given[purpose] = try pick(name, step, draw) }
    let others = draw + 1 < draws ? try pick("images", step, draw + 1) : nil
    return Batch(
      images: images, otherImages: others, random: RandomSource(seed: 0).giving(given), step: step)
  }

  /// What the file has for a draw; noise that has fewer draws than the images belongs to the last
  /// ones.
  private func pick(_ name: String, _ step: Int, _ draw: Int) throws -> Tensor? {
    let all = try golden.tensor(name)
    let ofStep = all.slice(step..<step + 1, axis: 0)
    let rest = Shape(Array(all.shape.sizes.dropFirst()))
    guard draws > 1 else { return ofStep.reshaped(to: rest) }
    let place = draw - draws + rest[0]
    guard place >= 0 else { return nil }
    return ofStep.reshaped(to: rest).slice(place..<place + 1, axis: 0)
      .reshaped(to: Shape(Array(rest.sizes.dropFirst())))
  }

  var draws: Int { blocks.reduce(0) { $0 + $1.draws } }

  /// Each phase's runs in a step, in order, with the draw of each and the steps in which it runs.
  var schedule: [(phase: BoundPhase, draw: Int, steps: Range<Int>)] {
    var runs: [(phase: BoundPhase, draw: Int, steps: Range<Int>)] = []
    var (draw, next) = (0, 0)
    for block in blocks {
      for _ in 0..<block.repeats {
        if !block.reusesBatch { (draw, next) = (next, next + block.batches) }
        runs += block.phases.map { ($0, draw, block.steps) }
      }
    }
    return runs
  }

  /// The phase's terms, and its gradients in this object's flat memory.
  func differentiate(_ phase: BoundPhase, _ batch: Batch) -> [(name: String, value: Float)] {
    store.bindGradientBuffers(
      of: phase.groups, gradients: gradients.pointer, statisticsUpdates: statisticsUpdates.pointer,
      owner: self)
    defer { store.unbindGradientBuffers() }
    let losses = phase.loss(batch)
    let terms =
      [("total", losses.total)] + losses.terms.map { (goldenTerms[$0.name] ?? $0.name, $0.value) }
    let values = terms.map { ($0.0, $0.1.scalar) }
    backpropagate(losses.total, into: store.variables(of: phase.groups))
    return values
  }

  func gradient(of parameter: Parameter) -> Tensor {
    Tensor(gradients.storage(parameter.range), shape: parameter.shape)
  }

  func updateRunningStatistics() {
    store.updateRunningStatistics(from: statisticsUpdates.pointer, slices: 1)
  }

  /// One whole step; returns the terms of every run of every phase, `phase.term` → values.
  func step(_ number: Int) throws -> [String: [Float]] {
    var curves: [String: [Float]] = [:]
    for (phase, draw, steps) in schedule where steps.contains(number) {
      for term in differentiate(phase, try batch(step: number, draw: draw)) {
        curves["\(phase.name).\(term.name)", default: []].append(term.value)
      }
      #expect(optimizers[phase.name]!.update(along: gradients.pointer, scale: 1, step: number))
      updateRunningStatistics()
    }
    return curves
  }

  /// Each phase with the draw of its first run.
  var firstRuns: [(phase: BoundPhase, draw: Int)] {
    var seen: Set<String> = []
    return schedule.filter { seen.insert($0.phase.name).inserted }.map { ($0.phase, $0.draw) }
  }
}

/// The models against PyTorch: same weights, data and noise.
@Suite struct GoldenTests {
  @Test(arguments: GoldenCase.all) func lossTerms(_ test: GoldenCase) throws {
    let replay = try Replay(test)
    for (phase, draw) in replay.firstRuns {
      let terms = replay.differentiate(phase, try replay.batch(step: 0, draw: draw))
      #expect(Set(terms.map(\.name)) == Set(replay.golden.names(under: "terms.\(phase.name).")))
      for term in terms {
        let expected = try replay.golden.tensor("terms.\(phase.name).\(term.name)").values
        expectClose([term.value], expected, relative: 1e-5, "\(phase.name) \(term.name)")
      }
    }
  }

  @Test(arguments: GoldenCase.all) func gradients(_ test: GoldenCase) throws {
    let replay = try Replay(test)
    let vanishing = try names(replay.golden, "vanishing gradients")
    for (phase, draw) in replay.firstRuns {
      _ = replay.differentiate(phase, try replay.batch(step: 0, draw: draw))
      let prefix = "gradient.\(phase.name)."
      let moved = replay.store.parameters.filter { parameter in
        phase.groups.contains { parameter.name.hasPrefix($0 + ".") }
      }
      #expect(Set(moved.map(\.name)) == Set(replay.golden.names(under: prefix)))
      let largest = try moved.flatMap {
        try replay.golden.tensor(prefix + $0.name).values.map(\.magnitude)
      }.max()!
      for parameter in moved {
        // What is zero in exact arithmetic is held against the phase's largest gradient.
        let isZero = vanishing.contains(prefix + parameter.name)
        expectClose(
          replay.gradient(of: parameter), try replay.golden.tensor(prefix + parameter.name),
          relative: isZero ? 0 : 1e-4, absolute: isZero ? 5e-6 * largest : 0,
          prefix + parameter.name)
      }
    }
  }

  @Test(arguments: GoldenCase.all) func buffersAfterOnePass(_ test: GoldenCase) throws {
    for phase in try Replay(test).blocks.flatMap(\.phases) {
      let replay = try Replay(test)
      let (same, draw) = replay.firstRuns.first { $0.phase.name == phase.name }!
      _ = replay.differentiate(same, try replay.batch(step: 0, draw: draw))
      replay.updateRunningStatistics()
      let stored = replay.golden.names(under: "buffers.\(phase.name).")
      for buffer in replay.store.buffers {
        let source = stored.contains(buffer.name) ? "buffers.\(phase.name)." : "initial."
        expectClose(
          buffer.value, try replay.golden.tensor(source + buffer.name), relative: 1e-5, buffer.name)
      }
    }
  }

  /// Ten steps with Adam's ε at 10⁻³.
  ///
  /// A gradient that is zero in exact arithmetic is rounding noise, which this ε keeps below a
  /// hundredth of a step. Its parameter, and the running mean that follows it, may drift by that.
  @Test(arguments: GoldenCase.all) func tenSteps(_ test: GoldenCase) throws {
    let replay = try Replay(test, epsilon: 1e-3)
    try compareCurves(replay, "damped.curve.", relative: 1e-4)
    let vanishing = try names(replay.golden, "vanishing gradients")
    let largest = replay.tensors.flatMap { $0.value.values.map(\.magnitude) }.max()!
    for (name, tensor) in replay.tensors {
      let phases = replay.golden.names(under: "gradient.").filter { $0.hasSuffix("." + name) }
      let isZero = !phases.isEmpty && phases.allSatisfy { vanishing.contains("gradient." + $0) }
      let drifts = isZero || name.hasSuffix("running_mean")
      expectClose(
        tensor, try replay.golden.tensor("damped.final.\(name)"), relative: 1e-4,
        absolute: drifts ? 1e-4 : 1e-7 * largest, name)
    }
  }

  /// Ten steps with Adam's ε as the recipes have it, 10⁻⁸.
  ///
  /// Gradients that are zero in exact arithmetic are rounding noise, which this ε turns into whole
  /// steps, in PyTorch too: the file says which curves its float32 run reproduces nevertheless.
  @Test(arguments: GoldenCase.all.filter(\.hasSteadyCurves)) func tenStepsUndamped(
    _ test: GoldenCase
  ) throws {
    let replay = try Replay(test)
    let steady = try names(replay.golden, "steady curves")
    try compareCurves(replay, "curve.", relative: 1e-4) { steady.contains("curve." + $0) }
  }

  @Test func everyModelHasAGoldenFile() {
    #expect(Set(ModelRegistry.standard.entries.map(\.name)) == Set(GoldenCase.all.map(\.model)))
  }

  @Test func aWrongHyperparameterIsSeen() throws {
    let right = try GoldenCase("flexae")
    let wrong = GoldenCase(
      right,
      configuration: right.configuration.replacing(
        "\"penaltyWeight\": 10.0", with: "\"penaltyWeight\": 10.01"))
    #expect(wrong.configuration != right.configuration)
    withKnownIssue {
      try compareCurves(Replay(wrong, epsilon: 1e-3), "damped.curve.", relative: 1e-4)
    }
  }

  private func compareCurves(
    _ replay: Replay, _ prefix: String, relative: Float,
    only isCompared: (String) -> Bool = { _ in true }
  ) throws {
    var curves: [String: [Float]] = [:]
    for number in 0..<10 {
      for (name, values) in try replay.step(number) { curves[name, default: []] += values }
    }
    #expect(Set(curves.keys) == Set(replay.golden.names(under: prefix)))
    for (name, values) in curves where isCompared(name) {
      expectClose(
        values, try replay.golden.tensor(prefix + name).values, relative: relative, prefix + name)
    }
  }

  private func names(_ golden: Golden, _ key: String) throws -> Set<String> {
    Set(try JSONDecoder().decode([String].self, from: Data(golden.metadata[key]!.utf8)))
  }
}
