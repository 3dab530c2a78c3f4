import LatheKernels
import Testing

/// Batch normalisation and its gradients in double precision.
private struct Reference {
  var mean, variance, y, dx, dGamma, dBeta: [Double]

  init(
    _ x: [Float], _ gradient: [Float], rows: Int, channels: Int, gamma: [Float], beta: [Float],
    epsilon: Double, relu: Bool
  ) {
    let n = Double(rows)
    mean = [Double](repeating: 0, count: channels)
    (variance, dGamma, dBeta) = (mean, mean, mean)
    for i in x.indices { mean[i % channels] += Double(x[i]) / n }
    for i in x.indices {
      let d = Double(x[i]) - mean[i % channels]
      variance[i % channels] += d * d / n
    }
    (y, dx) = ([], [])
    let inverse = variance.map { 1 / ($0 + epsilon).squareRoot() }
    let hat = x.indices.map { (Double(x[$0]) - mean[$0 % channels]) * inverse[$0 % channels] }
    let plain = x.indices.map {
      hat[$0] * Double(gamma[$0 % channels]) + Double(beta[$0 % channels])
    }
    y = relu ? plain.map { max($0, 0) } : plain
    let g = x.indices.map { relu && plain[$0] <= 0 ? 0 : Double(gradient[$0]) }
    for i in g.indices {
      dBeta[i % channels] += g[i]
      dGamma[i % channels] += g[i] * hat[i]
    }
    dx = x.indices.map { i in
      let c = i % channels
      return Double(gamma[c]) * inverse[c] * (g[i] - dBeta[c] / n - hat[i] * dGamma[c] / n)
    }
  }
}

/// What the kernels make of the same numbers.
private struct Found {
  var mean, variance, inverse, y, dx, dGamma, dBeta: [Float]

  init(
    _ x: [Float], _ gradient: [Float], rows: Int, channels: Int, gamma: [Float], beta: [Float],
    epsilon: Float, relu: Bool
  ) {
    mean = [Float](repeating: .nan, count: channels)
    (variance, inverse, dGamma, dBeta) = (mean, mean, mean, mean)
    y = [Float](repeating: .nan, count: rows * channels)
    dx = y
    batchNormalize(
      x, rows: rows, channels: channels, gamma: gamma, beta: beta, epsilon: epsilon, relu: relu,
      mean: &mean, variance: &variance, inverseStandardDeviation: &inverse, &y)
    beta.withUnsafeBufferPointer { beta in
      batchNormalizeGradient(
        gradient, x, rectifiedBeta: relu ? beta.baseAddress : nil, rows: rows, channels: channels,
        gamma: gamma, mean: mean, inverseStandardDeviation: inverse, dx: &dx, dGamma: &dGamma,
        dBeta: &dBeta)
    }
  }
}

extension AllKernels {
  @Suite struct NormalizationTests {
    static let shapes = [
      (2, 1), (2, 5), (3, 64), (64, 8192), (100_003, 1), (5001, 3), (3000, 64), (513, 100),
      (1000, 1030),
    ]

    @Test(arguments: shapes, [false, true])
    func agreesWithReference(_ shape: (Int, Int), _ relu: Bool) {
      let (rows, channels) = shape
      let x = Numbers.array(rows * channels, seed: 1)
      let g = Numbers.array(rows * channels, seed: 2)
      let gamma = Numbers.array(channels, seed: 3)
      let beta = Numbers.array(channels, seed: 4)
      let expected = Reference(
        x, g, rows: rows, channels: channels, gamma: gamma, beta: beta, epsilon: 1e-3, relu: relu)
      let found = Found(
        x, g, rows: rows, channels: channels, gamma: gamma, beta: beta, epsilon: 1e-3, relu: relu)
      #expect(worstError(found.mean, expected.mean, scale: 1) < 1e-6)
      #expect(worstError(found.variance, expected.variance) < 1e-6)
      #expect(worstError(found.y, expected.y) < 2e-6)
      #expect(worstError(found.dBeta, expected.dBeta) < 5e-6)
      #expect(worstError(found.dGamma, expected.dGamma) < 5e-6)
      let scale = zip(gamma, found.inverse).map { Double(abs($0 * $1)) }.max()
      #expect(worstError(found.dx, expected.dx, scale: scale) < 5e-6)
    }

    /// A mean 10⁴ deviations away, with a first row that is no guide to it.
    @Test(arguments: [(4096, 64), (70_000, 1), (64, 2000)])
    func varianceFarFromZero(_ rows: Int, _ channels: Int) {
      var x = Numbers.array(rows * channels).map { 10_000 + $0 }
      for c in 0..<channels { x[c] = -10_000 }
      let g = x.map { _ in Float(0) }
      let ones = [Float](repeating: 1, count: channels)
      let expected = Reference(
        x, g, rows: rows, channels: channels, gamma: ones, beta: ones, epsilon: 0, relu: false)
      let found = Found(
        x, g, rows: rows, channels: channels, gamma: ones, beta: ones, epsilon: 0, relu: false)
      for c in 0..<channels {
        #expect(abs(Double(found.variance[c]) / expected.variance[c] - 1) < 1e-5)
      }
    }

    @Test func constantInputHasVarianceZero() {
      let x = [Float](repeating: 1234.567, count: 5000 * 7)
      let ones = [Float](repeating: 1, count: 7)
      let found = Found(
        x, x, rows: 5000, channels: 7, gamma: ones, beta: ones, epsilon: 1e-5, relu: false)
      #expect(found.variance.allSatisfy { $0 >= 0 && $0 < 1e-6 })
      #expect(worstError(found.y, x.map { _ in 1 }) < 0.05)
    }

    @Test(arguments: [(70, 3), (9, 200)]) func inferenceUsesGivenMoments(
      _ rows: Int, _ channels: Int
    ) {
      let x = Numbers.array(rows * channels)
      let terms = (1...4).map { Numbers.array(channels, seed: UInt64($0 + 10)) }
      for relu in [false, true] {
        let expected = x.indices.map { i -> Double in
          let (gamma, beta) = (Double(terms[0][i % channels]), Double(terms[1][i % channels]))
          let (mean, inverse) = (Double(terms[2][i % channels]), Double(terms[3][i % channels]))
          let plain = gamma * (Double(x[i]) - mean) * inverse + beta
          return relu ? max(plain, 0) : plain
        }
        let found = written(x.count) {
          normalize(
            x, rows: rows, channels: channels, gamma: terms[0], beta: terms[1], mean: terms[2],
            inverseStandardDeviation: terms[3], relu: relu, $0)
        }
        #expect(worstError(found, expected) < 1e-6)
      }
    }
  }
}
