import Foundation
import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct CouplingFlowTests {
  /// Larger weights than at the start, and stretches that are not all alike.
  private func flow(_ size: Int, steps: Int) -> CouplingFlow {
    let store = ParameterStore(seed: 5)
    let flow = CouplingFlow(store.root("a"), size: size, steps: steps, hidden: [16, 16])
    store.layOut()
    for parameter in store.parameters {
      let values = parameter.value.storage.pointer
      for index in 0..<parameter.shape.count {
        if parameter.name.hasSuffix("output.weight") { values[index] *= 3 }
        if parameter.name.hasSuffix("scale") { values[index] = 0.1 * Float(index % 3) }
      }
    }
    return flow
  }

  @Test(arguments: [(2, 1), (5, 3), (8, 4)]) func inverseIsExact(_ size: Int, _ steps: Int) {
    let flow = flow(size, steps: steps)
    let codes = RandomSource(seed: 1).normal("codes", [20, size])
    let (results, _) = flow(codes)
    #expect(difference(results.values, codes.values, relative: 1e-2) != nil)
    expectClose(flow.inverse(results).values, codes.values, relative: 0, absolute: 1e-4)
  }

  /// log |det| as the flow reports it, against the determinant of its Jacobian.
  @Test(arguments: [1, 2, 3]) func logDeterminant(_ steps: Int) {
    let (flow, point) = (flow(5, steps: steps), [0.3, -0.7, 1.1, 0.2, 0.9] as [Float])
    let slopes = jacobian({ flow($0).codes }, at: point)
    let expected = Float(log(abs(determinant(slopes))))
    let found = flow(Tensor(point, shape: [1, 5])).logDeterminant
    #expect(expected.magnitude > 0.05)
    expectClose(found.values, [expected], relative: 0, absolute: 1e-3)
  }

  @Test func gradients() {
    let flow = flow(3, steps: 2)
    expectGradients(
      of: {
        let (codes, logDeterminant) = flow($0[0])
        return codes.sum(1) + logDeterminant
      }, at: [[2, 3]], relative: 1e-2, seed: 2)
  }
}
