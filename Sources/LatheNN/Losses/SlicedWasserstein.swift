import LatheFiles
import LatheTensors

/// Squared sliced Wasserstein distance of two samples: W₂² of their projections onto a direction,
/// the mean over directions.
///
/// In one dimension W₂² is the mean squared difference of the sorted values. Kolouri et al.,
/// "Sliced Wasserstein Auto-Encoders", ICLR 2019, Section 3. Gradients flow to `x` alone. Shapes:
/// `x` and `y` `[n, m]`, `directions` `[count, m]` of any length but 0 → a scalar.
public func slicedWassersteinDistance(_ x: Tensor, _ y: Tensor, along directions: Tensor) -> Tensor
{
  require(x.shape == y.shape, "slicedWassersteinDistance: \(x.shape) and \(y.shape) differ")
  let unit = directions / directions.norm(axis: 1, keepingDimensions: true)
  // Ranks of nearly equal numbers: products keep all their digits here.
  let (own, other) = withPrecision(.float32) {
    (matmul(x, unit, transposeSecond: true), matmul(y, unit, transposeSecond: true))
  }
  return (own - ofSameRank(other, as: own)).squared.mean()
}

/// In the place of each value of `x` the value of `y` that has the same rank in its column.
/// Shapes: both `[n, count]` → the same, a constant.
private func ofSameRank(_ y: Tensor, as x: Tensor) -> Tensor {
  let (n, count) = (x.shape[0], x.shape[1])
  let (own, other) = (x.values, y.values)
  var matched = [Float](repeating: 0, count: n * count)
  for column in 0..<count {
    let places = (0..<n).map { $0 * count + column }
    // Equal values in the order of their rows.
    let order = places.sorted { (own[$0], $0) < (own[$1], $1) }
    for (place, value) in zip(order, places.map { other[$0] }.sorted()) { matched[place] = value }
  }
  return Tensor(matched, shape: x.shape)
}
