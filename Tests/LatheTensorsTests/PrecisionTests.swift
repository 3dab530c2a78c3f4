import LatheTensors
import TestSupport
import Testing

/// bfloat16 keeps 8 bits of a factor: results are those of rounded factors, and so are gradients.
@Suite struct PrecisionTests {
  /// 1 + 2⁻⁹ is rounded to 1, 1 + 2⁻⁷ is kept.
  private let fine = Tensor([1.001_953_125, 1.007_812_5], shape: [1, 2])
  private let ones = Tensor([1, 1], shape: [2, 1])

  @Test func factorsAreRoundedOnlyWhereAsked() {
    #expect(matmul(fine, ones).scalar == 2.009_765_625)
    #expect(withPrecision(.bfloat16) { matmul(fine, ones).scalar } == 2.007_812_5)
    #expect(
      withPrecision(.bfloat16) { withPrecision(.float32) { matmul(fine, ones).scalar } }
        == 2.009_765_625)
  }

  @Test func gradientsHaveThePrecisionOfTheirProduct() {
    let x = ones.differentiable()
    let inside = withPrecision(.bfloat16) { matmul(fine, x) }
    #expect(gradients(of: inside, withRespectTo: [x])[0].values == [1, 1.007_812_5])
    let outside = matmul(fine, x)
    let slope = withPrecision(.bfloat16) { gradients(of: outside, withRespectTo: [x])[0] }
    #expect(slope.values == fine.values)
  }

  @Test func convolutionsRoundTheirFactors() {
    let random = RandomSource(seed: 1)
    let (x, w) = (random.normal("x", [2, 8, 8, 32]), random.normal("w", [4, 4, 32, 32]))
    let exact = convolution(x, w, stride: 2)
    let rounded = withPrecision(.bfloat16) { convolution(x, w, stride: 2) }
    #expect(rounded.values != exact.values)
    expectClose(rounded, exact, relative: 1e-2)
  }
}
