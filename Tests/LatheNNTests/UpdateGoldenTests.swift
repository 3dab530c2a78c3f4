import Foundation
import LatheNN
import LatheTensors
import TestSupport
import Testing

/// What a run adds to its updates, against PyTorch (Golden/updates.py).
@Suite struct UpdateGoldenTests {
  private let golden: Golden

  init() throws {
    golden = try Golden(
      URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appending(path: "Golden/updates.safetensors").path)
  }

  private static let plateaus: [(name: String, settings: Plateau.Settings)] = {
    func settings(_ change: (inout Plateau.Settings) -> Void) -> Plateau.Settings {
      var settings = Plateau.Settings()
      change(&settings)
      return settings
    }
    return [
      ("defaults", settings { _ in }),
      (
        "absolute",
        settings {
          ($0.factor, $0.patience, $0.threshold) = (0.5, 4, 0.01)
          $0.thresholdMode = .absolute
        }
      ),
      (
        "impatient",
        settings {
          ($0.factor, $0.patience, $0.threshold) = (0.25, 0, 0.1)
          $0.minimum = 0.01
        }
      ),
      (
        "higher",
        settings {
          ($0.factor, $0.patience, $0.threshold) = (0.5, 2, 0.03)
          $0.isHigherBetter = true
        }
      ),
      ("nan", settings { ($0.factor, $0.patience) = (0.5, 1) }),
    ]
  }()

  /// The same as one that is saved and read again after each score.
  @Test(arguments: plateaus) func plateau(name: String, settings: Plateau.Settings) throws {
    let scores = try golden.tensor("plateau/\(name)/scores").values
    var plateau = Plateau(settings)
    var (rates, lowered) = ([Float](), 0)
    for (step, score) in scores.enumerated() {
      let state = try JSONDecoder().decode(
        Plateau.State.self, from: JSONEncoder().encode(plateau.state))
      plateau = Plateau(settings, continuing: state)
      if plateau.observe(Double(score), step: step + 1) { lowered += 1 }
      rates.append(Float(plateau.state.factor))
    }
    let expected = try golden.tensor("plateau/\(name)/rates").values
    expectClose(rates, expected, relative: 1e-6)
    #expect(lowered == zip([1] + expected, expected).count { $0 != $1 } && lowered > 0)
  }

  /// Scores below zero can stand still, too.
  @Test func plateauBelowZero() {
    var settings = Plateau.Settings()
    (settings.factor, settings.patience) = (0.5, 1)
    var plateau = Plateau(settings)
    #expect([-100, -100, -100.005].map { plateau.observe($0, step: 1) } == [false, false, true])
    #expect([-100.02, -100, -100].map { plateau.observe($0, step: 1) } == [false, false, true])
  }

  @Test(arguments: RateFactor.Shape.allCases.filter { $0 != .plateau })
  func schedule(_ shape: RateFactor.Shape) throws {
    let factor = RateFactor(shape, warmUp: 5, over: 25)
    expectClose(
      (0..<25).map { factor($0) }, try golden.tensor("schedule/\(shape.rawValue)").values,
      relative: 0, absolute: 1e-6)
  }

  /// AdamW with a cosine schedule, thirty steps along given gradients; and the moving average.
  @Test func decayedWeightsAndTheirAverage() throws {
    let store = ParameterStore(seed: 1)
    let parameter = store.root("a").parameter("w", [5], .zeros)
    store.layOut()
    let first = try golden.tensor("adamw/values").values
    parameter.value.storage.pointer.update(from: first, count: 5)
    let optimizer = Optimizer(
      .adam(0.01, beta1: 0.9, beta2: 0.99, epsilon: 1e-12), groups: ["a"], of: store)
    let average = MovingAverage(0.8, of: store)
    let gradients = try golden.tensor("adamw/gradients").values
    let factor = RateFactor(.cosine, over: 30)
    let arena = Arena(count: store.values.count)
    var (updated, averages) = ([Float](), [Float]())
    for step in 0..<30 {
      let own = Array(gradients[5 * step..<5 * step + 5])
      (arena.pointer + parameter.range.lowerBound).update(from: own, count: 5)
      optimizer.beginUpdate()
      #expect(
        optimizer.update(
          parameter.range, along: arena.pointer, step: step, rateFactor: factor(step),
          weightDecay: 0.3))
      average.update([parameter.range])
      updated += parameter.value.values
      averages += average.values.storage(parameter.range).values
    }
    expectClose(
      updated, try golden.tensor("adamw/updated").values, relative: 1e-5, absolute: 1e-6)
    expectClose(
      averages, try golden.tensor("ema/averages").values, relative: 1e-5, absolute: 1e-6)
  }
}

extension Storage {
  fileprivate var values: [Float] { Array(UnsafeBufferPointer(start: pointer, count: count)) }
}
