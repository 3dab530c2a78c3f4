import LatheKernels

/// The Euclidean norm of gradients of which each rank has all or its shard; the same bits on every
/// rank, on any number of ranks.
struct GradientNorm {
  private let memory: HostMemory

  init(_ memory: HostMemory) { self.memory = memory }

  /// The norm over all ranks of `gradients` within this rank's `ranges`, `count` of them on all
  /// ranks together. Collective.
  func callAsFunction(
    _ gradients: UnsafePointer<Float>, _ ranges: [Range<Int>], of count: Int
  ) throws(MPIError) -> Float {
    let own = ranges.map {
      LatheKernels.largestMagnitude(gradients + $0.lowerBound, count: $0.count)
    }
    let largest = try memory.allReduce([Double(own.max() ?? 0)], .maximum)[0]
    var squares = ExactSquares(largest: Float(largest), count: count)
    for range in ranges { squares.add(gradients + range.lowerBound, count: range.count) }
    let sums = try memory.allReduce([squares.sums.coarse, squares.sums.fine], .sum)
    return Float((sums[0] + sums[1]).squareRoot())
  }
}
