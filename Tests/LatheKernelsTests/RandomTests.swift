import Foundation
import LatheKernels
import Testing

/// The largest distance between the empirical distribution of `draws` and `cumulative`.
private func kolmogorovDistance(_ draws: [Float], _ cumulative: (Double) -> Double) -> Double {
  let count = Double(draws.count)
  return draws.sorted().enumerated().reduce(0) { worst, draw in
    let expected = cumulative(Double(draw.element))
    let below = Double(draw.offset) / count
    return max(worst, abs(expected - below), abs(expected - below - 1 / count))
  }
}

private func normalCumulative(_ x: Double) -> Double { erfc(-x / 2.0.squareRoot()) / 2 }

extension AllKernels {
  @Suite struct RandomTests {
    /// The known answers that the authors of Philox publish with their Random123 library.
    @Test func philoxGivesItsKnownAnswers() {
      let ones = UInt32.max
      let pi = SIMD4<UInt32>(0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344)
      #expect(
        philox4x32(counter: SIMD4(repeating: 0), key: SIMD2(repeating: 0))
          == SIMD4(0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8))
      #expect(
        philox4x32(counter: SIMD4(repeating: ones), key: SIMD2(repeating: ones))
          == SIMD4(0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd))
      #expect(
        philox4x32(counter: pi, key: SIMD2(0xa409_3822, 0x299f_31d0))
          == SIMD4(0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1))
    }

    @Test func uniformDrawsAreTheWordsOfTheirBlocks() {
      let (key, first): (UInt64, UInt64) = (0x1234_5678_9abc_def0, 0x7_0000_0000)
      let found = written(64) { randomUniform($0, count: 64, key: key, offset: 64 * first) }
      for j in 0..<16 {
        let words = randomBits(key: key, counter: 16 * first + UInt64(j))
        for (w, word) in [words.0, words.1, words.2, words.3].enumerated() {
          #expect(found[16 * w + j] == Float(word >> 8) / 16_777_216)
        }
      }
    }

    @Test func drawsDependOnTheirPlaceAlone() {
      for draw in [randomUniform, randomNormal] {
        let all = written(1000) { draw($0, 1000, 42, 0) }
        for (offset, count) in [(0, 5), (1, 64), (63, 2), (64, 64), (100, 900), (999, 1)] {
          let part = written(count) { draw($0, count, 42, UInt64(offset)) }
          #expect(part == Array(all[offset..<offset + count]))
        }
        #expect(written(1000) { draw($0, 1000, 43, 0) } != all)
      }
    }

    @Test func uniformDrawsAreUniform() {
      let draws = written(200_000) { randomUniform($0, count: 200_000, key: 7, offset: 3) }
      #expect(draws.allSatisfy { $0 >= 0 && $0 < 1 })
      #expect(kolmogorovDistance(draws) { min(max($0, 0), 1) } < 1.95 / 200_000.0.squareRoot())
    }

    @Test func normalDrawsAreNormal() {
      let count = 1_000_000
      let draws = written(count) { randomNormal($0, count: count, key: 7, offset: 0) }
      let moments = (1...4).map { power in
        draws.reduce(0) { $0 + Foundation.pow(Double($1), Double(power)) } / Double(count)
      }
      #expect(abs(moments[0]) < 0.004)
      #expect(abs(moments[1] - 1) < 0.006)
      #expect(abs(moments[2]) < 0.016)
      #expect(abs(moments[3] - 3) < 0.04)
      #expect(kolmogorovDistance(draws, normalCumulative) < 1.95 / Double(count).squareRoot())
      #expect(draws.allSatisfy { abs($0) < 6.7 })
    }

    /// In order, ties and NaN stay.
    @Test func numbersBeyondALimitAreReplaced() {
      let numbers: [Float] = [1, -3, 2, .nan, 2.5, -2, .infinity]
      let again: [Float] = [10, 20, 30]
      #expect(countBeyond(2, numbers, count: numbers.count) == again.count)
      let found = written(numbers.count) { y in
        for i in numbers.indices { y[i] = numbers[i] }
        replaceBeyond(2, y, count: numbers.count, by: again)
      }
      #expect(found.map { $0.isNaN ? 0 : $0 } == [1, 10, 2, 0, 20, -2, 30])
    }

    @Test func kolmogorovDistanceFindsAWrongScale() {
      let draws = written(200_000) { randomNormal($0, count: 200_000, key: 7, offset: 0) }
      let wide = kolmogorovDistance(draws) { normalCumulative($0 * 1.02) }
      #expect(wide > 1.95 / 200_000.0.squareRoot())
    }

    /// Neighbours, and the two halves of a Box–Muller pair, are uncorrelated: |r| < 4.5 / √n.
    @Test(arguments: [1, 16, 32, 64]) func normalDrawsAreUncorrelated(_ lag: Int) {
      let count = 400_000
      let draws = written(count + lag) { randomNormal($0, count: count + lag, key: 9, offset: 0) }
      let sum = (0..<count).reduce(0.0) { $0 + Double(draws[$1]) * Double(draws[$1 + lag]) }
      #expect(abs(sum / Double(count)) < 4.5 / Double(count).squareRoot())
    }
  }
}
