/// Squared Euclidean distances between two sets, block by block of rows, in double precision.
struct PairwiseDistances {
  private let left, right: Features
  private let rightMatrix: DoubleMatrix
  private let leftNorms, rightNorms: [Double]

  init(_ left: Features, _ right: Features) {
    (self.left, self.right) = (left, right)
    rightMatrix = DoubleMatrix(right, rows: 0..<right.count)
    (leftNorms, rightNorms) = (left.squaredNorms, right.squaredNorms)
  }

  /// Rows of distances that are in memory at once.
  private static let block = 256

  /// Calls `body` with each row, `[right.count]`, in order: |x|² + |y|² − 2 x·y, not below 0.
  func forEachRow(_ body: (_ row: Int, _ distances: UnsafeBufferPointer<Double>) -> Void) {
    for first in stride(from: 0, to: left.count, by: Self.block) {
      let rows = first..<min(first + Self.block, left.count)
      var products = DoubleMatrix(left, rows: rows).times(rightMatrix, transposed: true)
      products.values.withUnsafeMutableBufferPointer { values in
        for row in rows {
          let line = UnsafeMutableBufferPointer(
            rebasing: values[(row - first) * right.count..<(row - first + 1) * right.count])
          finish(line, norm: leftNorms[row])
          body(row, UnsafeBufferPointer(line))
        }
      }
    }
  }

  private func finish(_ line: UnsafeMutableBufferPointer<Double>, norm: Double) {
    rightNorms.withUnsafeBufferPointer { norms in
      for i in line.indices { line[i] = max(0, norm + norms[i] - 2 * line[i]) }
    }
  }
}
