import LatheTensors
import TestSupport
import Testing

/// What a trace sees of operations.
@Suite struct TraceTests {
  private func network(_ x: Tensor, _ weight: Tensor, _ bias: Tensor) -> Tensor {
    2 * addingBias(matmul(x, weight), bias, relu: true).reshaped(to: [6]) - 1
  }

  private func numbers(_ shape: Shape) -> Tensor { RandomSource(seed: 1).normal("x", shape) }

  @Test func operationsInOrder() {
    let trace = Trace()
    let (x, weight, bias) = (numbers([2, 4]), numbers([4, 3]), numbers([3]))
    let y = trace.record { network(x, weight, bias) }
    #expect(
      trace.steps.map(\.operation) == [
        .matmul(transposeFirst: false, transposeSecond: false), .addBias(relu: true), .reshape,
        .affine(scale: 2, offset: 0), .affine(scale: 1, offset: -1),
      ])
    #expect(trace.steps[0].inputs.map(\.identity) == [x.identity, weight.identity])
    for (before, after) in zip(trace.steps, trace.steps.dropFirst()) {
      #expect(after.inputs[0].identity == before.output.identity)
    }
    #expect(trace.steps.last?.output.identity == y.identity)
    // The product is what it was, though a bias was added to it.
    #expect(trace.steps[0].output.values == matmul(x, weight).values)
  }

  @Test func bitsAreTheSame() {
    let (x, weight, bias) = (numbers([2, 4]), numbers([4, 3]), numbers([3]))
    let traced = Trace().record { network(x, weight, bias) }
    #expect(traced.values == network(x, weight, bias).values)
  }

  @Test func gradientsFlowAsBefore() {
    let x = numbers([3]).differentiable()
    let plain = gradients(of: exp(x).sum(), withRespectTo: [x])[0].values
    let traced = Trace().record { gradients(of: exp(x).sum(), withRespectTo: [x])[0].values }
    #expect(plain == traced)
  }

  @Test func normalizationIsOneOperation() {
    let (x, one) = (numbers([2, 3]), Tensor(filledWith: 1, shape: [3]))
    let trace = Trace()
    _ = trace.record {
      normalization(x, gamma: one, beta: one, mean: one, variance: one, epsilon: 0.1)
    }
    #expect(trace.steps.map(\.operation) == [.normalization(epsilon: 0.1, relu: false)])
  }

  @Test func drawsAndReads() {
    let trace = Trace()
    let drawn = trace.record {
      let drawn = RandomSource(seed: 1).uniform("chance", [2])
      _ = drawn.values
      return drawn
    }
    #expect(trace.draws.map(\.purpose) == ["chance"] && !trace.draws[0].isNormal)
    #expect(trace.reads.map(\.identity) == [drawn.identity])
  }

  @Test func nothingIsSeenOutside() {
    let trace = Trace()
    _ = trace.record { exp(numbers([2])) }
    _ = exp(numbers([2])).values
    #expect(trace.steps.count == 1 && trace.reads.isEmpty)
  }
}
