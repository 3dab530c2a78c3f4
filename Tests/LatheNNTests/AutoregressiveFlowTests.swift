import Foundation
import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct AutoregressiveFlowTests {
  private static let size = 4

  /// Each number of coordinate i moves with coordinates before i, and with no other.
  @Test func outputsSeeCoordinatesBeforeThem() {
    let store = ParameterStore(seed: 3)
    let network = MaskedAutoregressiveNetwork(store.root("a"), size: Self.size, hidden: [32, 32])
    store.layOut()
    let point: [Float] = [0.3, -0.7, 1.1, 0.2]
    for number in 0..<2 {
      let slopes = jacobian(
        { network($0).slice(number..<number + 1, axis: 1).reshaped(to: [1, Self.size]) }, at: point)
      for output in 0..<Self.size {
        for input in output..<Self.size { #expect(slopes[output][input] == 0) }
      }
      // The masks leave something: the last output sees the first three coordinates.
      #expect(slopes[Self.size - 1][..<(Self.size - 1)].contains { $0 != 0 })
      #expect(slopes[1][0] != 0)
    }
  }

  /// log |det| as the flow reports it, against the determinant of its Jacobian.
  @Test(arguments: [1, 2, 3]) func logDeterminant(_ steps: Int) {
    let store = ParameterStore(seed: 5)
    let flow = AutoregressiveFlow(
      store.root("a"), size: Self.size, steps: steps, hidden: [16, 16], contextSize: 2)
    store.layOut()
    // Larger weights than at the start, so that the stretch is far from 1.
    for parameter in store.parameters where parameter.name.hasSuffix("output.weight") {
      for index in 0..<parameter.shape.count { parameter.value.storage.pointer[index] *= 4 }
    }
    let context = Tensor([0.5, -1], shape: [1, 2])
    let point: [Float] = [0.3, -0.7, 1.1, 0.2]
    let slopes = jacobian({ flow($0, context: context).codes }, at: point)
    let expected = Float(log(abs(determinant(slopes))))
    let found = flow(Tensor(point, shape: [1, Self.size]), context: context).logDeterminant
    #expect(expected.magnitude > 0.05)
    expectClose(found.values, [expected], relative: 0, absolute: 1e-3)
  }

  @Test func contextMovesTheFlow() {
    let store = ParameterStore(seed: 7)
    let flow = AutoregressiveFlow(
      store.root("a"), size: Self.size, steps: 1, hidden: [8], contextSize: 2)
    store.layOut()
    let codes = RandomSource(seed: 1).normal("codes", [3, Self.size])
    let (one, other) = (
      Tensor([1, 0, 1, 0, 1, 0], shape: [3, 2]), Tensor(filledWith: 0, shape: [3, 2])
    )
    #expect(flow(codes, context: one).codes.values != flow(codes, context: other).codes.values)
    #expect(flow(codes, context: one).codes.shape == [3, Self.size])
  }

  @Test func gradients() {
    let store = ParameterStore(seed: 11)
    let flow = AutoregressiveFlow(
      store.root("a"), size: 3, steps: 2, hidden: [8], contextSize: 2)
    store.layOut()
    expectGradients(
      of: {
        let (codes, logDeterminant) = flow($0[0], context: $0[1])
        return codes.sum(1) + logDeterminant
      }, at: [[2, 3], [2, 2]], relative: 1e-2, seed: 2)
  }
}
