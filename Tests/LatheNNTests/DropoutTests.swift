import LatheNN
import LatheTensors
import TestSupport
import Testing

@Suite struct DropoutTests {
  @Test func dropsWhereNoiseIsLowAndScalesTheRest() {
    let x = Tensor([1, 2, 3, 4], shape: [2, 2])
    let noise = Tensor([0.24, 0.25, 0.9, 0], shape: [2, 2])
    expectClose(
      dropout(x, rate: 0.25, noise: noise), [0, 8 / 3, 4, 0], shape: [2, 2], relative: 1e-6)
    #expect(dropout(x, rate: 0, noise: noise).values == x.values)
    expectGradients(of: { dropout($0[0], rate: 0.25, noise: noise) }, at: [[2, 2]])
  }
}
