import LatheKernels

/// Centers of clusters, and which of them is the nearest.
struct Centers {
  var features: Features

  /// For each point the nearest center, the first of equals, and the squared distance to it (at
  /// least 0).
  func nearest(to points: Features) -> (labels: [Int], distances: [Float]) {
    var labels = [Int](repeating: 0, count: points.count)
    var nearest = [Float](repeating: 0, count: points.count)
    let distances = squaredDistances(from: points)
    distances.withUnsafeBufferPointer { distances in
      for row in 0..<points.count {
        let start = row * features.count
        var best = 0
        for center in 1..<max(1, features.count)
        where distances[start + center] < distances[start + best] { best = center }
        (labels[row], nearest[row]) = (best, distances[start + best])
      }
    }
    return (labels, nearest)
  }

  /// Row-major, `[points, centers]`: |x|² + |c|² − 2 x·c, not below 0.
  func squaredDistances(from points: Features) -> [Float] {
    let (m, n) = (points.count, features.count)
    var distances = points.products(with: features)
    let (ofPoints, ofCenters) = (points.squaredNorms, features.squaredNorms)
    distances.withUnsafeMutableBufferPointer { distances in
      for row in 0..<m {
        for column in 0..<n {
          let product = Double(distances[row * n + column])
          distances[row * n + column] = Float(
            max(0, ofPoints[row] + ofCenters[column] - 2 * product))
        }
      }
    }
    return distances
  }
}

extension Features {
  /// x·c for each of these vectors and the others, row-major, `[these, others]`.
  func products(with others: Features) -> [Float] {
    let (m, n) = (count, others.count)
    guard m * n > 0 else { return [] }
    return [Float](unsafeUninitializedCapacity: m * n) { products, filled in
      values.withUnsafeBufferPointer { left in
        others.values.withUnsafeBufferPointer { right in
          gemm(
            left.baseAddress!, transposed: false, right.baseAddress!, transposed: true,
            products.baseAddress!, m: m, n: n, k: dimensions, accumulate: false)
        }
      }
      filled = m * n
    }
  }

  /// |x|² of each vector.
  var squaredNorms: [Double] {
    values.withUnsafeBufferPointer { values in
      (0..<count).map { row in
        var sum = 0.0
        for i in row * dimensions..<(row + 1) * dimensions {
          sum += Double(values[i]) * Double(values[i])
        }
        return sum
      }
    }
  }
}
