import Foundation
import LatheKernels
import LatheTensors

// Where a mixture starts from.

/// k-means: centres, each the mean of the codes that are nearest to it.
///
/// Lloyd, "Least Squares Quantization in PCM", 1982, from the centres of Arthur and Vassilvitskii,
/// "k-means++", SODA 2007. It ends when the centres move, squared and summed, by no more than 10⁻⁴
/// of the codes' mean variance, as in scikit-learn.
package struct KMeans {
  /// `[count, latentSize]`.
  private(set) var centres: [Double]
  let codes: CodeShares
  private var count: Int { centres.count / codes.latentSize }

  /// Given centres, `[count, latentSize]`.
  init(_ codes: CodeShares, centres: [Double]) { (self.codes, self.centres) = (codes, centres) }

  /// Fits `count` centres, in at most 300 rounds.
  package init(_ codes: CodeShares, count: Int, using random: RandomSource) throws {
    self.codes = codes
    centres = []
    for number in 0..<count {
      centres += try farCode(using: random.derived(number))
    }
    let tolerance = try 1e-4 * meanVariance()
    for _ in 0..<300 where try update() > tolerance {}
  }

  /// A code drawn with probability in proportion to its squared distance from the nearest centre.
  ///
  /// Of exponential waiting times with the distances as rates, −log u / d², the shortest.
  private func farCode(using random: RandomSource) throws -> [Double] {
    let m = codes.latentSize
    let candidates = try codes.all { share in
      guard share.count > 0 else { return [.infinity] + [Double](repeating: 0, count: m) }
      let distances =
        centres.isEmpty
        ? [Double](repeating: 1, count: share.count) : nearest(share).map(\.distance)
      let source = random.derived(share.number)
      let (coarse, fine) = (
        source.uniform("coarse", [share.count]).values, source.uniform("fine", [share.count]).values
      )
      let times = distances.indices.map { index in
        let u = (Double(coarse[index]) + (Double(fine[index]) + 0.5) * 0x1p-24)
        return distances[index] > 0 ? -log(u) / distances[index] : Double.infinity
      }
      let first = times.indices.min { times[$0] < times[$1] }!
      return [times[first]] + share.codes[first * m..<(first + 1) * m]
    }
    return Array(candidates.min { $0.first! < $1.first! }!.dropFirst())
  }

  /// Moves each centre to the mean of its codes; returns the sum of the squares of the moves.
  private mutating func update() throws -> Double {
    let (m, count) = (codes.latentSize, count)
    let sums = try codes.sum { share in
      var sums = [Double](repeating: 0, count: count * (1 + m))
      let places = nearestCentres(share)
      sums.withUnsafeMutableBufferPointer { sums in
        share.codes.withUnsafeBufferPointer { codes in
          for (row, place) in places.enumerated() {
            sums[place.centre] += 1
            let start = count + place.centre * m
            for axis in 0..<m { sums[start + axis] += codes[row * m + axis] }
          }
        }
      }
      return sums
    }
    var moved = 0.0
    for centre in 0..<count where sums[centre] > 0 {
      for axis in 0..<m {
        let new = sums[count + centre * m + axis] / sums[centre]
        let change = new - centres[centre * m + axis]
        moved += change * change
        centres[centre * m + axis] = new
      }
    }
    return moved
  }

  /// The sum of the squared distances of codes from their nearest centres.
  package func inertia() throws -> Double {
    try codes.sum { [nearest($0).reduce(0) { $0 + $1.distance }] }[0]
  }

  /// The nearest centre of each code and its squared distance.
  func nearest(_ share: CodeShares.Share) -> [(centre: Int, distance: Double)] {
    let m = codes.latentSize
    return share.codes.withUnsafeBufferPointer { values in
      nearestCentres(share).enumerated().map { row, nearest in
        var square = 0.0
        for axis in 0..<m { square += values[row * m + axis] * values[row * m + axis] }
        return (nearest.centre, max(0, nearest.beyond + square))
      }
    }
  }

  /// The nearest centre of each code, and by how much its squared distance exceeds the code's
  /// squared length: ‖z − c‖² = ‖z‖² + (‖c‖² − 2 z · c).
  private func nearestCentres(_ share: CodeShares.Share) -> [(centre: Int, beyond: Double)] {
    let (m, count) = (codes.latentSize, count)
    var products = [Double](repeating: 0, count: share.count * count)
    gemm(
      share.codes, transposed: false, centres, transposed: true, &products, m: share.count,
      n: count, k: m, accumulate: false)
    let norms = (0..<count).map { squaredNorm(centres, row: $0) }
    return products.withUnsafeBufferPointer { products in
      norms.withUnsafeBufferPointer { norms in
        (0..<share.count).map { row in
          var best = (centre: 0, beyond: Double.infinity)
          for centre in 0..<count {
            let beyond = norms[centre] - 2 * products[row * count + centre]
            if beyond < best.beyond { best = (centre, beyond) }
          }
          return best
        }
      }
    }
  }

  private func squaredNorm(_ rows: [Double], row: Int) -> Double {
    rows[row * codes.latentSize..<(row + 1) * codes.latentSize].reduce(0) { $0 + $1 * $1 }
  }

  /// The variance of the codes' coordinates, averaged over them.
  private func meanVariance() throws -> Double {
    let m = codes.latentSize
    let sums = try codes.sum { share in
      var sums = [Double](repeating: 0, count: 2 * m)
      for row in 0..<share.count {
        for axis in 0..<m {
          let value = share.codes[row * m + axis] - centres[axis]
          sums[axis] += value
          sums[m + axis] += value * value
        }
      }
      return sums
    }
    let n = Double(codes.count)
    return (0..<m).reduce(0) { total, axis in
      let mean = sums[axis] / n
      return total + sums[m + axis] / n - mean * mean
    } / Double(m)
  }
}
