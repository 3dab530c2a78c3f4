import Foundation
import LatheKernels
import Testing

extension Unary {
  /// The function in double precision.
  func reference(_ x: Double) -> Double {
    switch self {
    case .exp: Foundation.exp(x)
    case .log: Foundation.log(x)
    case .sqrt: x.squareRoot()
    case .sigmoid: 1 / (1 + Foundation.exp(-x))
    case .tanh: Foundation.tanh(x)
    case .softplus: max(x, 0) + Foundation.log1p(Foundation.exp(-abs(x)))
    case .relu: x < 0 ? 0 : x
    case .negate: -x
    case .square: x * x
    case .reciprocal: 1 / x
    case .absolute: abs(x)
    case .sign: x > 0 ? 1 : x < 0 ? -1 : 0
    case .sine: Foundation.sin(x)
    case .cosine: Foundation.cos(x)
    case .round: x.rounded(.toNearestOrEven)
    }
  }

  /// The documented error in units in the last place.
  var errorBound: Double {
    switch self {
    case .exp: 1.1
    case .log: 1
    case .sigmoid: 2.5
    case .tanh, .softplus, .sine, .cosine: 2
    default: 0.5001
    }
  }
}

private func mapped(_ op: Unary, _ x: [Float]) -> [Float] {
  written(x.count) { LatheKernels.map(op, x, $0, count: x.count) }
}

extension AllKernels {
  @Suite struct FunctionAccuracyTests {
    /// Every 4099th bit pattern, and the neighbours of special ones: all magnitudes, signs, NaN.
    static let everywhere: [Float] = {
      let spread = stride(from: UInt64(0), to: 1 << 32, by: 4099).map {
        Float(bitPattern: UInt32($0))
      }
      let ends: [Float] = [
        0, 1, 0.5, 2, .pi, .pi / 2, .pi / 4, 0.625, 88.72283, 88.72284, 89, 103.2789, 103.97208,
        104,
        87.33654, .leastNonzeroMagnitude, .leastNormalMagnitude, .greatestFiniteMagnitude,
        .infinity,
        1_048_576, 0.70710678, 1.4142135,
      ]
      let near = ends.flatMap { [$0, $0.nextUp, $0.nextDown] }
      return spread + near + near.map { -$0 } + [.nan]
    }()

    @Test(arguments: Unary.allCases) func errorIsWithinBound(_ op: Unary) {
      let x = Self.everywhere
      let y = mapped(op, x)
      var worst = (error: 0.0, at: Float(0))
      for (x, y) in zip(x, y) {
        let error = x.isNaN && op == .sign ? 0 : unitsInLastPlace(y, op.reference(Double(x)))
        if error > worst.error { worst = (error, x) }
      }
      #expect(worst.error <= op.errorBound, "\(op) at \(worst.at)")
    }

    @Test func limitsAreExact() {
      #expect(
        mapped(.exp, [0, -.infinity, .infinity, 100, -110]) == [1, 0, .infinity, .infinity, 0])
      #expect(mapped(.log, [1, 0, -0.0, .infinity]) == [0, -.infinity, -.infinity, .infinity])
      #expect(mapped(.sigmoid, [0, -.infinity, .infinity, 30]) == [0.5, 0, 1, 1])
      #expect(mapped(.softplus, [-.infinity, .infinity, 1e30, -200]) == [0, .infinity, 1e30, 0])
      #expect(mapped(.tanh, [-.infinity, .infinity, 20]) == [-1, 1, 1])
      #expect(mapped(.cosine, [0]) == [1])
      #expect(mapped(.sign, [-3, -0.0, 0, 7]) == [-1, 0, 0, 1])
      #expect(mapped(.log, [-1, .nan]).allSatisfy { $0.isNaN })
      #expect(mapped(.sine, [.infinity, .nan]).allSatisfy { $0.isNaN })
    }

    @Test func zerosKeepTheirSigns() {
      for op in [Unary.tanh, .sine, .sqrt, .relu] {
        #expect(mapped(op, [-0.0])[0].sign == .minus, "\(op)")
      }
    }

    @Test(arguments: Unary.allCases) func inPlaceGivesTheSameBits(_ op: Unary) {
      for count in [0, 1, 7, 64, 1003] {
        let x = Numbers.array(count)
        let apart = mapped(op, x)
        let inPlace = written(count) { y in
          for i in 0..<count { y[i] = x[i] }
          LatheKernels.map(op, y, y, count: count)
        }
        #expect(apart.map(\.bitPattern) == inPlace.map(\.bitPattern))
      }
    }
  }
}
