import Foundation
import LatheDistributed
import LatheModels
import LatheNN
import LatheTensors

/// A model whose backward pass takes its time without using a core: what overlap gains where a core
/// is idle, also on hosts that are emulated on one machine.
///
/// The gradients of its layers become final one after another, in equal intervals.
private struct SleepingModel {
  static let layers = 16
  let store = ParameterStore(seed: 5)
  private let parameters: [Parameter]
  private let gradient: Tensor

  init(floats: Int) {
    let scope = store.root("sleeping")
    let size = floats / Self.layers
    parameters = (0..<Self.layers).map { scope.parameter("w\($0)", [size], .zeros) }
    store.layOut()
    gradient = RandomSource(seed: 6).normal("gradient", [size])
  }

  /// One update a step, whose backward pass takes `milliseconds`.
  func blocks(backward milliseconds: Int) -> [BoundBlock] {
    let pause = UInt32(milliseconds * 1000 / Self.layers)
    let phase = BoundPhase(name: "sleeping", groups: ["sleeping"], rule: .sgd(0.25)) { batch in
      var loss = 0 * batch.images.mean()
      for parameter in parameters {
        let sum = Storage(count: 1)
        sum.pointer[0] = 0
        loss = operation(sum, shape: [], from: loss, parameter.value) { above, _ in
          usleep(pause)
          return [above, gradient]
        }
      }
      return Losses(loss)
    }
    return [BoundBlock(phases: [phase])]
  }
}

/// Times steps with overlap and without, alternating, and reports the medians in milliseconds.
func overlapBench(
  _ world: Communicator, floats: Int, backward milliseconds: Int, steps: Int
) throws {
  let choices: [Overlap] = [.off, .on]
  let runners = try choices.map { overlap in
    let model = SleepingModel(floats: floats)
    return try StepRunner(
      model.blocks(backward: milliseconds), model.store, on: world, slices: world.size,
      overlap: overlap, random: RandomSource(seed: 1), updates: UpdateOptions())
  }
  var times: [[Double]] = [[], []]
  for step in 0...steps {
    for (place, runner) in runners.enumerated() {
      try world.barrier()
      let start = now()
      _ = try runner.run(step: step) { _, _ in Tensor(filledWith: 1, shape: [1]) }
      let slowest = try world.allReduce([now() - start], .maximum)[0]
      if step > 0 { times[place].append(slowest) }
    }
  }
  for (choice, times) in zip(choices, times) {
    let median = times.sorted()[times.count / 2]
    report(String(format: "overlap %@: median %.1f ms", choice.rawValue, median), world)
  }
  for runner in runners { try runner.free() }
}

private func now() -> Double { Double(DispatchTime.now().uptimeNanoseconds) / 1e6 }
