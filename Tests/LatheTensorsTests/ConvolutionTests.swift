import LatheTensors
import TestSupport
import Testing

@Suite struct ConvolutionTests {
  /// Image side, kernel, stride, padding.
  static let cases: [(Int, Int, Int, Padding)] = [
    (4, 4, 2, .same), (5, 3, 2, .same), (5, 5, 2, .same), (4, 1, 1, .same), (7, 4, 2, .explicit(1)),
    (6, 3, 3, .valid), (5, 3, 1, .explicit(top: 0, bottom: 2, left: 1, right: 0)),
  ]

  @Test(arguments: cases) func gradients(
    _ side: Int, _ kernel: Int, _ stride: Int, _ padding: Padding
  ) {
    let shapes: [Shape] = [[2, side, side, 2], [kernel, kernel, 2, 3]]
    let function: TensorFunction = { convolution($0[0], $0[1], stride: stride, padding: padding) }
    expectGradients(of: function, at: shapes)
    expectSecondGradients(of: function, at: shapes)
  }

  @Test(arguments: cases) func transposedGradients(
    _ side: Int, _ kernel: Int, _ stride: Int, _ padding: Padding
  ) {
    let shapes: [Shape] = [[2, 3, 3, 3], [kernel, kernel, 2, 3]]
    let function: TensorFunction = {
      transposedConvolution($0[0], $0[1], stride: stride, padding: padding)
    }
    expectGradients(of: function, at: shapes)
    expectSecondGradients(of: function, at: shapes)
  }

  /// Each use of the weights adds to what is in their gradientBuffer.
  @Test(arguments: [2, 40]) func sinksOfWeightsUsedAgain(_ channels: Int) {
    let random = RandomSource(seed: 6)
    let x = random.normal("x", [2, 12, 12, channels])
    let w = random.normal("w", [4, 4, channels, channels])
    func loss(_ w: Tensor) -> Tensor {
      let y = convolution(x, w, stride: 2)
      return (transposedConvolution(y, w, stride: 2).squared.sum() + convolution(y, w).sum()) * 1e-6
    }
    let variable = w.differentiable()
    let expected = LatheTensors.gradients(of: loss(variable), withRespectTo: [variable])[0]
    let gradientBuffer = Storage(count: w.shape.count)
    let parameter = w.differentiable(into: gradientBuffer)
    backpropagate(loss(parameter), into: [parameter])
    expectClose(Tensor(gradientBuffer, shape: w.shape), expected, relative: 2e-5)
  }

  @Test func sameShapes() {
    func output(_ side: Int, _ kernel: Int, _ stride: Int) -> Int {
      convolution(
        Tensor(filledWith: 0, shape: [1, side, side, 1]),
        Tensor(filledWith: 0, shape: [kernel, kernel, 1, 1]),
        stride: stride
      ).shape[1]
    }
    // 28 → 14 → 7 → 4 → 2, as TensorFlow's SAME has it.
    #expect([28, 14, 7, 4].map { output($0, 4, 2) } == [14, 7, 4, 2])
    let explicit = transposedConvolution(
      Tensor(filledWith: 0, shape: [1, 4, 4, 1]), Tensor(filledWith: 0, shape: [3, 3, 1, 1]),
      stride: 2,
      padding: .explicit(1), outputPadding: 1)
    #expect(explicit.shape == [1, 8, 8, 1])
  }

  /// A direct sum in double precision.
  @Test(arguments: cases) func values(_ side: Int, _ kernel: Int, _ stride: Int, _ padding: Padding)
  {
    let random = RandomSource(seed: 3)
    let x = random.normal("x", [2, side, side, 2])
    let w = random.normal("w", [kernel, kernel, 2, 3])
    let y = convolution(x, w, stride: stride, padding: padding)
    let out = y.shape[1]
    let before =
      padding == .same
      ? max((out - 1) * stride + kernel - side, 0) / 2 : ConvolutionTests.top(padding)
    let left = padding == .same ? before : ConvolutionTests.left(padding)
    let (xs, ws) = (x.values, w.values)
    var expected: [Float] = []
    for n in 0..<2 {
      for i in 0..<out {
        for j in 0..<y.shape[2] {
          for o in 0..<3 {
            var sum = 0.0
            for a in 0..<kernel {
              for b in 0..<kernel {
                for c in 0..<2 {
                  let (row, column) = (i * stride + a - before, j * stride + b - left)
                  guard (0..<side).contains(row), (0..<side).contains(column) else { continue }
                  sum +=
                    Double(xs[((n * side + row) * side + column) * 2 + c])
                    * Double(ws[((a * kernel + b) * 2 + c) * 3 + o])
                }
              }
            }
            expected.append(Float(sum))
          }
        }
      }
    }
    expectClose(y.values, expected, relative: 1e-6)
  }

  private static func top(_ padding: Padding) -> Int {
    if case .explicit(let top, _, _, _) = padding { top } else { 0 }
  }
  private static func left(_ padding: Padding) -> Int {
    if case .explicit(_, _, let left, _) = padding { left } else { 0 }
  }
}

@Suite struct NormalizationTests {
  @Test(arguments: [false, true]) func gradients(_ relu: Bool) {
    let function: TensorFunction = {
      batchNormalization($0[0], gamma: $0[1], beta: $0[2] + 3, epsilon: 1e-3, relu: relu).output
    }
    expectGradients(of: function, at: [[2, 3, 2, 3], [3], [3]], relative: 3e-3)
    expectSecondGradients(of: function, at: [[2, 3, 2, 3], [3], [3]], relative: 1e-2)
  }

  /// The fused kernel and the differentiable formula are two ways to one gradient.
  @Test(arguments: [false, true]) func fusedGradientsEqualDifferentiableOnes(_ relu: Bool) {
    let random = RandomSource(seed: 5)
    let values = [
      random.normal("x", [4, 5, 3]), random.normal("gamma", [3]), random.normal("beta", [3]),
    ]
    let weights = random.normal("weights", [4, 5, 3])
    func loss(_ inputs: [Tensor]) -> Tensor {
      let y = batchNormalization(
        inputs[0], gamma: inputs[1], beta: inputs[2], epsilon: 1e-3, relu: relu)
      return (y.output * weights).sum()
    }
    let variables = values.map { $0.differentiable() }
    let expected = LatheTensors.gradients(of: loss(variables), withRespectTo: variables)
    let gradientBuffers = values.map { Storage(count: $0.shape.count) }
    let parameters = zip(values, gradientBuffers).map { $0.differentiable(into: $1) }
    backpropagate(loss(parameters), into: parameters)
    for (gradientBuffer, gradient) in zip(gradientBuffers, expected) {
      expectClose(Tensor(gradientBuffer, shape: gradient.shape), gradient, relative: 2e-5)
    }
  }

  @Test func statisticsAreTheBatchs() {
    let x = Tensor([1, 10, 3, 20, 5, 60], shape: [3, 2])
    let y = batchNormalization(
      x, gamma: Tensor([1, 1], shape: [2]), beta: Tensor([0, 0], shape: [2]), epsilon: 0)
    #expect(y.mean.values == [3, 30])
    expectClose(y.variance, [8.0 / 3, 1400.0 / 3], shape: [2], relative: 1e-6)
    expectClose(y.output.mean(0), [0, 0], shape: [2], relative: 0, absolute: 1e-6)
    expectClose(y.output.squared.mean(0), [1, 1], shape: [2], relative: 1e-5)
  }
}
