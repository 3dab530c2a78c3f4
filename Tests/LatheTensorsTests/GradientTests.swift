import LatheTensors
import TestSupport
import Testing

@Suite struct GradientTests {
  @Test func aMillionOperationsAreBuiltAndFreed() {
    var x = Tensor([1], shape: [1]).differentiable()
    let start = x
    for _ in 0..<1_000_000 { x = x + 1 }
    #expect(x.scalar == 1_000_001)
    #expect(gradients(of: x, withRespectTo: [start])[0].values == [1])
    x = start
    #expect(x.scalar == 1)
  }

  @Test func aMillionOperationsWithKeptInputsAreFreed() {
    let one = Tensor([1], shape: [1]).differentiable()
    var x = one
    for _ in 0..<1_000_000 { x = x * one }
    #expect(gradients(of: x, withRespectTo: [one])[0].values == [1_000_001])
  }

  @Test func thirdOrder() {
    let x = Tensor([2], shape: [1]).differentiable()
    var y = x.squared.squared  // x⁴
    for expected: Float in [32, 48, 48] {
      y = gradients(of: y, withRespectTo: [x])[0]
      expectClose(y, [expected], shape: [1], relative: 1e-6)
    }
  }

  @Test func aVariableThatDoesNotMatterHasZeros() {
    let (x, y) = (
      Tensor([1, 2], shape: [2]).differentiable(), Tensor([3], shape: [1]).differentiable()
    )
    #expect(gradients(of: y * y, withRespectTo: [x])[0].values == [0, 0])
  }

  @Test func intermediateVariables() {
    let x = Tensor([3], shape: [1]).differentiable()
    let y = x * x
    let found = gradients(of: y * x, withRespectTo: [x, y])
    #expect(found[0].values == [27])
    #expect(found[1].values == [3])
  }

  @Test func sinksAreWrittenWhateverTheWay() {
    let random = RandomSource(seed: 2)
    let (w, x) = (random.normal("w", [4, 4]), random.normal("x", [3, 4]))
    func loss(_ w: Tensor) -> Tensor {
      matmul(matmul(x, w), w).squared.sum() + w.sum() + matmul(w, w).sum()
    }
    let variable = w.differentiable()
    let expected = gradients(of: loss(variable), withRespectTo: [variable])[0] * 0.25
    let gradientBuffer = Storage(count: 16)
    let unused = Storage(count: 2)
    let parameters = [
      w.differentiable(into: gradientBuffer),
      Tensor([5, 5], shape: [2]).differentiable(into: unused),
    ]
    backpropagate(loss(parameters[0]), scale: 0.25, into: parameters)
    expectClose(Tensor(gradientBuffer, shape: [4, 4]), expected, relative: 1e-5)
    #expect(Tensor(unused, shape: [2]).values == [0, 0])
  }

  /// Each variable is told once, and what is in its gradientBuffer by then is its gradient.
  @Test func gradientsAreToldAsSoonAsTheyAreFinal() {
    let random = RandomSource(seed: 2)
    let (x, count) = (random.normal("x", [3, 4]), 4)
    let values = (0..<count).map { random.normal("w\($0)", [4, 4]) }
    func loss(_ w: [Tensor]) -> Tensor {
      // The second is used twice, the last not at all; the third's gradient is not written in
      // place.
      let y = matmul(matmul(matmul(x, w[0]), w[1]), w[1]) * w[2].sum()
      return y.squared.sum()
    }
    let variables = values.map { $0.differentiable() }
    let expected = gradients(of: loss(variables), withRespectTo: variables)
    let gradientBuffers = values.map { _ in Storage(count: 16) }
    let parameters = zip(values, gradientBuffers).map { $0.differentiable(into: $1) }
    var told: [Int] = []
    backpropagate(loss(parameters), into: parameters) { place in
      told.append(place)
      expectClose(Tensor(gradientBuffers[place], shape: [4, 4]), expected[place], relative: 1e-5)
    }
    #expect(told.sorted() == [0, 1, 2, 3])
    #expect(told.firstIndex(of: 2)! < told.firstIndex(of: 1)!, "the last used comes first")
    #expect(told.firstIndex(of: 1)! < told.firstIndex(of: 0)!)
  }

  @Test func storageReturnsToThePool() {
    // A size that no other test asks for, since all share the pool.
    let count = 12_345_678
    func address() -> UnsafeMutablePointer<Float> { Storage(count: count).pointer }
    let first = address()
    #expect((0..<20).allSatisfy { _ in address() == first })
    #expect(Int(bitPattern: first) % (2 << 20) == 0)
    #expect(StoragePool.statistics.bytes >= 4 * count)
  }

  /// A rule writes over the gradient that it is given only if it is the last one to need it.
  @Test func aGradientThatTwoNeedIsNotOverwritten() {
    let random = RandomSource(seed: 12)
    let (rows, channels) = (6, 4)
    let weights = random.normal("weights", [rows, channels])
    func variable(_ name: String) -> (value: Tensor, gradient: Storage) {
      let gradient = Storage(count: rows * channels)
      return (random.normal(name, [rows, channels]).differentiable(into: gradient), gradient)
    }
    func bias(_ gradient: Storage) -> Tensor {
      Tensor(filledWith: 0, shape: [channels]).differentiable(into: gradient)
    }
    let inputs = ["a", "b", "c"].map(variable)
    let shifts = inputs.map { _ in bias(Storage(count: channels)) }
    let outputs = zip(inputs, shifts).map {
      addingBias($0.value, $1, relu: true)
    }
    backpropagate(
      ((outputs[0] + outputs[1] + outputs[2]) * weights).sum(),
      into: inputs.map(\.value) + shifts)
    for (name, input) in zip(["a", "b", "c"], inputs) {
      let expected = zip(random.normal(name, [rows, channels]).values, weights.values).map {
        $0 > 0 ? $1 : 0
      }
      #expect(Tensor(input.gradient, shape: [rows, channels]).values == expected)
    }
  }

  /// A gradient takes its operand's memory, but not where somebody else holds the operand. The same
  /// graph without writing over anything is the judge.
  @Test(arguments: [false, true]) func operandsThatSomebodyHoldsStay(_ holds: Bool) {
    let random = RandomSource(seed: 13)
    let gradientBuffers = [Storage(count: 2 * 6 * 6 * 3), Storage(count: 9 * 3 * 3)]
    let images = random.normal("images", [2, 6, 6, 3]).differentiable(into: gradientBuffers[0])
    let kernel = random.normal("kernel", [3, 3, 3, 3]).differentiable(into: gradientBuffers[1])
    var held: [Tensor] = []
    func loss() -> Tensor {
      let inner = convolution(tanh(images), kernel)
      let twice = convolution(inner, kernel) + convolution(inner * 2, kernel)
      let flat = twice.reshaped(to: [2, 108])
      if holds { held += [inner, twice] }
      return matmul(flat, flat, transposeSecond: true).sum()
    }
    let expected = gradients(of: loss(), withRespectTo: [images, kernel])
    held = []
    let last = loss()
    let before = held.map(\.values)
    backpropagate(last, into: [images, kernel])
    #expect(held.map(\.values) == before)
    for (found, expected) in zip(gradientBuffers, expected) {
      #expect(Tensor(found, shape: expected.shape).values == expected.values)
    }
  }

  @Test func randomSourceIsAFunctionOfItsPlace() {
    let source = RandomSource(seed: 7).derived(3).derived("slice")
    #expect(source.normal("a", [8]).values == source.normal("a", [8]).values)
    #expect(source.normal("a", [8]).values != source.normal("b", [8]).values)
    #expect(
      source.normal("a", [8]).values
        != RandomSource(seed: 8).derived(3).derived("slice").normal("a", [8]).values)
    #expect(
      source.derived(0).uniform("a", [4]).values != source.derived(1).uniform("a", [4]).values)
    let given = Tensor([1, 2], shape: [2])
    #expect(source.giving(["noise": given]).normal("noise", [2]).values == [1, 2])
  }
}
