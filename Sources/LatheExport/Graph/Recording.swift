import LatheModels
import LatheTensors

/// One run of a network within a trace.
struct Recording {
  let batch: Int
  let trace: Trace
  /// Tensors that came from outside.
  let inputs: [Tensor]
  let output: Tensor

  /// Runs a network of one input, whose numbers are drawn from the batch's size, so that they
  /// differ from those of another batch.
  init(batch: Int, input shape: [Int], _ network: (Tensor) -> Tensor) {
    let input = RandomSource(seed: UInt64(batch)).uniform("input", Shape([batch] + shape))
    let trace = Trace()
    output = withoutGradients { trace.record { network(input) } }
    (self.batch, self.trace, inputs) = (batch, trace, [input])
  }

  /// Draws codes; the inputs are the random numbers.
  init(batch: Int, _ sampler: Sampler) {
    let trace = Trace()
    output = withoutGradients {
      trace.record { sampler.draw(batch, RandomSource(seed: UInt64(batch))) }
    }
    (self.batch, self.trace, inputs) = (batch, trace, trace.draws.map(\.values))
  }

  /// Tensors that depend on the inputs.
  var dynamic: Set<Tensor.Identity> {
    trace.steps.reduce(into: Set(inputs.map(\.identity))) { found, step in
      if step.inputs.contains(where: { found.contains($0.identity) }) {
        found.insert(step.output.identity)
      }
    }
  }

  /// Whether what is computed depends on numbers that were read, and so on the batch.
  var readsNumbers: Bool {
    let dynamic = dynamic
    return trace.reads.contains { dynamic.contains($0.identity) }
  }

  /// Steps that the output depends on, in order.
  var necessarySteps: [Trace.Step] {
    var wanted: Set = [output.identity]
    let given = Set(inputs.map(\.identity))
    var steps: [Trace.Step] = []
    for step in trace.steps.reversed() where wanted.contains(step.output.identity) {
      guard !given.contains(step.output.identity) else { continue }
      wanted.remove(step.output.identity)
      wanted.formUnion(step.inputs.map(\.identity))
      steps.append(step)
    }
    return steps.reversed()
  }
}
