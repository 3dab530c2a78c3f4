import Kernels
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension AllKernels {
  @Suite struct FusedTests {
    static let sizes = [(1, 1), (7, 3), (64, 128), (1000, 33), (5, 2100), (0, 4)]

    @Test(arguments: sizes, [false, true]) func biasIsAdded(_ size: (Int, Int), relu: Bool) {
      let (rows, channels) = size
      let x = Numbers.array(rows * channels, seed: 1)
      let bias = Numbers.array(channels, seed: 2)
      let expected = x.indices.map { i in
        let sum = x[i] + bias[i % channels]
        return relu ? max(0, sum) : sum
      }
      let found = written(x.count) {
        addBias(x, bias, rows: rows, channels: channels, relu: relu, $0)
      }
      #expect(found == expected)
      let inPlace = written(x.count) { y in
        for i in x.indices { y[i] = x[i] }
        addBias(y, bias, rows: rows, channels: channels, relu: relu, y)
      }
      #expect(inPlace == expected)
    }

    @Test(arguments: sizes) func biasGradientSumsColumns(_ size: (Int, Int)) {
      let (rows, channels) = size
      let gradient = Numbers.array(rows * channels, seed: 1)
      let found = written(channels) {
        biasGradient(gradient, rows: rows, channels: channels, dBias: $0)
      }
      #expect(worstError(found, columnSums(gradient, channels), scale: Double(rows + 1)) < 1e-7)
    }

    @Test(arguments: sizes) func biasGradientStopsWhereTheOutputIsZero(_ size: (Int, Int)) {
      let (rows, channels) = size
      let gradient = Numbers.array(rows * channels, seed: 1)
      let y = Numbers.array(rows * channels, seed: 2).map { max(0, $0) }
      let gated = gradient.indices.map { y[$0] > 0 ? gradient[$0] : 0 }
      let expected = columnSums(gated, channels)
      var sums: [Float] = []
      let dx = written(gated.count) { dx in
        sums = written(channels) {
          biasGradient(gradient, y, rows: rows, channels: channels, dx: dx, dBias: $0)
        }
      }
      #expect(dx == gated)
      #expect(worstError(sums, expected, scale: Double(rows + 1)) < 1e-7)
      let alone = written(channels) {
        biasGradient(gradient, y, rows: rows, channels: channels, dx: nil, dBias: $0)
      }
      #expect(alone == sums)
    }

    private func columnSums(_ x: [Float], _ channels: Int) -> [Double] {
      var sums = [Double](repeating: 0, count: channels)
      for i in x.indices { sums[i % channels] += Double(x[i]) }
      return sums
    }

    @Test(arguments: [1, 63, 64, 65, 1000, 200_001])
    func squaredErrorOfSigmoid(_ count: Int) {
      let logits = Numbers.array(count, seed: 1).map { 8 * $0 }
      let target = Numbers.array(count, seed: 2).map { 0.5 + 0.5 * $0 }
      let values = logits.map { 1 / (1 + exp(-Double($0))) }
      let errors = zip(values, target).map { $0 - Double($1) }
      var (found, gradient): (Float, [Float]) = (.nan, [])
      let y = written(count) { y in
        gradient = written(count) {
          found = sigmoidSquaredError(
            logits, target, count: count, gradientScale: 0.25, y, gradient: $0)
        }
      }
      #expect(worstError(y, values) < 2e-7)
      let expected = errors.indices.map { 0.5 * errors[$0] * values[$0] * (1 - values[$0]) }
      #expect(worstError(gradient, expected) < 1e-6)
      let sum = errors.reduce(0) { $0 + $1 * $1 }
      #expect(abs(Double(found) - sum) < 1e-6 * sum)
    }

    /// The gradient is the slope of the sum, by central differences.
    @Test func gradientIsTheSlope() {
      let target: [Float] = [0.2]
      let sum = { (logit: Float) in
        var (y, gradient): (Float, Float) = (0, 0)
        return (sigmoidSquaredError([logit], target, count: 1, &y, gradient: &gradient), gradient)
      }
      for logit in [-3, -0.5, 0, 1, 2.5] as [Float] {
        let slope = (sum(logit + 0.01).0 - sum(logit - 0.01).0) / 0.02
        #expect(abs(slope - sum(logit).1) < 1e-4)
      }
    }
  }
}
