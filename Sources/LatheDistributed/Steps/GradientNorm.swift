import LatheKernels

/// The Euclidean norm of gradients of which each rank has all or its shard; the same bits on every
/// rank, on any number of ranks.
struct GradientNorm {
  private let world: Communicator
  private let areShards: Bool

  init(_ world: Communicator, ofShards areShards: Bool) {
    (self.world, self.areShards) = (world, areShards)
  }

  /// The norm over all ranks of `gradients` within this rank's `ranges`, `count` of them on all
  /// ranks together. Collective.
  func callAsFunction(
    _ gradients: UnsafePointer<Float>, _ ranges: [Range<Int>], of count: Int
  ) throws(MPIError) -> Float {
    let own = ranges.map {
      LatheKernels.largestMagnitude(gradients + $0.lowerBound, count: $0.count)
    }
    let largest = try all([Double(own.max() ?? 0)], .maximum)[0]
    var squares = ExactSquares(largest: Float(largest), count: count)
    for range in ranges { squares.add(gradients + range.lowerBound, count: range.count) }
    let sums = try all([squares.sums.coarse, squares.sums.fine], .sum)
    return Float((sums[0] + sums[1]).squareRoot())
  }

  private func all(
    _ values: [Double], _ operation: ReduceOperation
  ) throws(MPIError) -> [Double] {
    areShards && world.size > 1 ? try world.allReduce(values, operation) : values
  }
}
