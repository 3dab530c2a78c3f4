import LatheTensors
import TestSupport
import Testing

/// Values against closed forms, gradients against central differences, first and second order.
@Suite struct OperationTests {
  private func check(
    _ function: @escaping TensorFunction, _ shapes: [Shape], in range: ClosedRange<Float> = -1...1,
    isSmooth: Bool = true, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectGradients(of: function, at: shapes, in: range, sourceLocation: sourceLocation)
    if isSmooth {
      expectSecondGradients(of: function, at: shapes, in: range, sourceLocation: sourceLocation)
    }
  }

  @Test(
    arguments: [
      ([2, 3], [2, 3]), ([2, 3], [3]), ([2, 1, 3], [4, 1]), ([1], [2, 3]), ([5, 1], [5, 7]),
    ] as [([Int], [Int])])
  func broadcastArithmetic(_ a: [Int], _ b: [Int]) {
    let shapes = [Shape(a), Shape(b)]
    check({ $0[0] + $0[1] * $0[1] }, shapes)
    check({ $0[0] * $0[0] - $0[1] }, shapes)
    check({ $0[0] * $0[1] }, shapes)
    check({ $0[0] / $0[1] }, shapes, in: 0.5...1.5)
  }

  @Test func scalarArithmetic() {
    check({ 3 - $0[0] * 2 + 1 }, [[4]], isSmooth: false)
    check({ 2 / $0[0] + $0[0] / 4 - 1 }, [[4]], in: 0.5...1.5)
    #expect((Tensor([1, 2], shape: [2]) * 3 - 1).values == [2, 5])
    #expect((1 - Tensor([1, 2], shape: [2])).values == [0, -1])
  }

  @Test func broadcastValues() {
    let a = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect((a + Tensor([10, 20, 30], shape: [3])).values == [11, 22, 33, 14, 25, 36])
    #expect((a + Tensor([10, 20], shape: [2, 1])).values == [11, 12, 13, 24, 25, 26])
    let wide =
      Tensor([1, 2], shape: [2, 1, 1]) * Tensor([1, 2, 3], shape: [3, 1])
      * Tensor([1, 10], shape: [2])
    #expect(wide.shape == [2, 3, 2])
    #expect(wide.values == [1, 10, 2, 20, 3, 30, 2, 20, 4, 40, 6, 60])
    let corners = Tensor([1, 2], shape: [2, 1, 1, 1]) + Tensor([1, 2, 3, 4], shape: [2, 1, 2])
    #expect(corners.values == [2, 3, 4, 5, 3, 4, 5, 6])
    #expect(Tensor([7], shape: [1]).broadcast(to: [2, 2]).values == [7, 7, 7, 7])
  }

  @Test func smoothFunctions() {
    check({ exp($0[0]) }, [[2, 3]])
    check({ log($0[0]) }, [[2, 3]], in: 0.5...2)
    check({ sqrt($0[0]) }, [[2, 3]], in: 0.5...2)
    check({ sigmoid($0[0]) }, [[2, 3]], in: -2...2)
    check({ tanh($0[0]) }, [[2, 3]], in: -2...2)
    check({ softplus($0[0]) }, [[2, 3]], in: -2...2)
    check({ $0[0].squared }, [[2, 3]])
    check({ reciprocal($0[0]) }, [[2, 3]], in: 0.5...2)
  }

  @Test func functionsWithKinks() {
    check({ relu($0[0]) }, [[20]], in: 0.1...1, isSmooth: false)
    check({ relu($0[0] * $0[0].squared) }, [[20]], in: 0.1...1)
    check({ relu($0[0]) }, [[20]], in: -1 ... -0.1, isSmooth: false)
    check({ leakyRelu($0[0], slope: 0.2) }, [[20]], in: -1 ... -0.1, isSmooth: false)
    check({ leakyRelu($0[0].squared * $0[0], slope: 0.2) }, [[20]], in: -1 ... -0.1)
    check({ abs($0[0]) }, [[20]], in: -1 ... -0.1, isSmooth: false)
    check({ $0[0].clamped(to: -0.5...0.5) }, [[20]], in: -0.4...0.4, isSmooth: false)
    check({ $0[0].squared.clamped(to: 0...2) }, [[20]], in: 0.1...1)
    let x = Tensor([-2, -0.5, 0, 0.5, 2], shape: [5]).differentiable()
    let g = gradients(of: x.clamped(to: -1...1), withRespectTo: [x])[0]
    #expect(g.values == [0, 1, 1, 1, 0])
    #expect(gradients(of: relu(x), withRespectTo: [x])[0].values == [0, 0, 0, 1, 1])
  }

  @Test(arguments: [[], [0], [1], [2], [0, 1], [0, 2], [1, 2], [-1], [0, 1, 2]] as [[Int]])
  func reductions(_ axes: [Int]) {
    let shape: Shape = [3, 4, 2]
    check({ $0[0].squared.sum(axes) }, [shape])
    check({ $0[0].squared.mean(axes) }, [shape])
    check({ $0[0].variance(axes) }, [shape])
    check({ $0[0].logSumExp(axes) }, [shape], in: -2...2)
    check({ $0[0].max(axes) }, [shape], isSmooth: false)
    check({ $0[0].squared.sum(axes, keepingDimensions: true) }, [shape])
  }

  @Test func reductionValues() {
    let x = Tensor((0..<24).map(Float.init), shape: [2, 3, 4])
    #expect(x.sum().scalar == 276)
    #expect(x.sum(0, 2).values == [60, 92, 124])
    #expect(x.sum(0, 2).shape == [3])
    #expect(x.mean(1, keepingDimensions: true).shape == [2, 1, 4])
    #expect(x.max(2).values == [3, 7, 11, 15, 19, 23])
    #expect(x.max(0, 1).values == [20, 21, 22, 23])
    expectClose(
      x.variance(2), [1.25, 1.25, 1.25, 1.25, 1.25, 1.25], shape: [2, 3], relative: 1e-6)
    let large = Tensor([1000, 1000], shape: [2])
    expectClose(large.logSumExp(), [1000.6931], shape: [], relative: 1e-7)
    let tied = Tensor([2, 1, 2], shape: [3]).differentiable()
    #expect(gradients(of: tied.max(), withRespectTo: [tied])[0].values == [0.5, 0, 0.5])
  }

  @Test func bias() {
    check({ addingBias($0[0], $0[1]) }, [[2, 3, 4], [4]])
    check({ addingBias($0[0], $0[1] + 2, relu: true).squared }, [[2, 3, 4], [4]])
    check({ addingBias($0[0], $0[1] - 3, relu: true) }, [[2, 3, 4], [4]], isSmooth: false)
    let x = Tensor([1, -2, 3, -4], shape: [2, 2])
    #expect(addingBias(x, Tensor([1, 1], shape: [2]), relu: true).values == [2, 0, 4, 0])
  }

  /// The fused gradients and those of the separate operations.
  @Test func biasGradientsInOnePass() {
    let random = RandomSource(seed: 4)
    let (x, b, w) = (
      random.normal("x", [50, 7]), random.normal("b", [7]), random.normal("w", [50, 7])
    )
    let variables = [x.differentiable(), b.differentiable()]
    let expected = gradients(
      of: (relu(variables[0] + variables[1]) * w).sum(), withRespectTo: variables)
    let gradientBuffers = [Storage(count: 350), Storage(count: 7)]
    let parameters = [
      x.differentiable(into: gradientBuffers[0]), b.differentiable(into: gradientBuffers[1]),
    ]
    backpropagate(
      (addingBias(parameters[0], parameters[1], relu: true) * w).sum(), into: parameters)
    expectClose(Tensor(gradientBuffers[0], shape: [50, 7]), expected[0], relative: 1e-6)
    expectClose(Tensor(gradientBuffers[1], shape: [7]), expected[1], relative: 1e-5)
  }

  @Test func norms() {
    check({ $0[0].norm(axis: 1) }, [[3, 4]], in: 0.2...1)
    #expect(Tensor([3, 4], shape: [1, 2]).norm(axis: 1).values == [5])
    let zero = Tensor([0, 0], shape: [1, 2]).differentiable()
    #expect(gradients(of: zero.norm(axis: 1), withRespectTo: [zero])[0].values == [0, 0])
  }

  @Test func shapes() {
    check({ $0[0].squared.reshaped(to: [4, 3]) }, [[2, 6]])
    check({ $0[0].squared.transposed(2, 0, 1) }, [[2, 3, 4]])
    check({ $0[0].squared.slice(1..<3, axis: 1) }, [[2, 4, 3]])
    check(
      { concatenated([$0[0].squared, $0[1] * $0[1], $0[0]], axis: 1) }, [[2, 3, 2], [2, 1, 2]])
    check({ $0[0].squared.gather([2, 0, 2, 1]) }, [[3, 2]])
    check({ $0[0].squared.broadcast(to: [3, 2, 4]) }, [[2, 1]])
    let x = Tensor((0..<6).map(Float.init), shape: [2, 3])
    #expect(x.transposed().values == [0, 3, 1, 4, 2, 5])
    #expect(x.slice(1..<2, axis: -1).values == [1, 4])
    #expect(x.gather([1, 0, 1]).values == [3, 4, 5, 0, 1, 2, 3, 4, 5])
    #expect(concatenated([x, x], axis: 0).shape == [4, 3])
    #expect(
      concatenated([x, x.slice(0..<1, axis: 1)], axis: 1).values == [0, 1, 2, 0, 3, 4, 5, 3])
  }

  @Test(arguments: [(false, false), (false, true), (true, false), (true, true)])
  func matrixProducts(_ first: Bool, _ second: Bool) {
    let shapes: [Shape] = [first ? [4, 3] : [3, 4], second ? [5, 4] : [4, 5]]
    check({ matmul($0[0], $0[1], transposeFirst: first, transposeSecond: second) }, shapes)
  }

  @Test func matrixProductValues() {
    let a = Tensor([1, 2, 3, 4, 5, 6], shape: [2, 3])
    #expect(matmul(a, a, transposeSecond: true).values == [14, 32, 32, 77])
    #expect(matmul(a, a, transposeFirst: true).values == [17, 22, 27, 22, 29, 36, 27, 36, 45])
  }

  @Test func detachedStopsGradients() {
    let x = Tensor([3], shape: [1]).differentiable()
    #expect(gradients(of: x * x.detached, withRespectTo: [x])[0].values == [3])
    #expect(!withoutGradients { x * x }.isDifferentiable)
  }
}
