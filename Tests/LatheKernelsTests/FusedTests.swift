import LatheKernels
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
  }
}
