// Goals, in order:
// 1. Finite for any covariance that float features can produce (eigenvalues below zero are set to
//   zero).
// 2. Agreement with a general matrix square root: 1e-6 relative, 1e-3 where covariances are
//   singular.
// 3. Speed: two symmetric eigenproblems, one of them without vectors.

/// ‖m₁ − m₂‖² + Tr(C₁ + C₂ − 2(C₁C₂)^½), the squared Fréchet distance of two Gaussians.
///
/// Dowson, Landau, "The Fréchet distance between multivariate normal distributions", 1982; as a
/// score of image models: Heusel et al., "GANs Trained by a Two Time-Scale Update Rule", NeurIPS
/// 2017. Concretely, the trace of the root is the sum of the roots of the eigenvalues of B C₂ Bᵀ
/// with C₁ = BᵀB.
///
/// - Throws: `ScoreError`: different dimensions, or numbers so large that the distance is none.
public func frechetDistance(
  _ one: FeatureStatistics, _ other: FeatureStatistics
) throws(ScoreError) -> Double {
  let n = one.dimensions
  if other.dimensions != n {
    throw .sizes("feature dimensions", expected: n, found: other.dimensions)
  }
  let shift = zip(one.mean, other.mean).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
  let spread = (0..<n).reduce(0) {
    $0 + one.covariance[$1 * n + $1] + other.covariance[$1 * n + $1]
  }
  let distance = shift + spread - 2 * (try traceOfRoot(one.covariance, other.covariance, n))
  guard distance.isFinite else { throw .notFinite("Fréchet distance") }
  return max(0, distance)
}

private func traceOfRoot(
  _ one: [Double], _ other: [Double], _ n: Int
) throws(ScoreError) -> Double {
  let factor = rootFactor(DoubleMatrix(one, rows: n, columns: n))
  let inner = factor.times(DoubleMatrix(other, rows: n, columns: n)).times(factor, transposed: true)
  guard inner.values.allSatisfy(\.isFinite) else {
    throw .notFinite("product of the covariances")
  }
  return inner.eigen(vectors: false).values.reduce(0) { $0 + max(0, $1).squareRoot() }
}

/// B with BᵀB = `matrix`; a row for each positive eigenvalue.
private func rootFactor(_ matrix: DoubleMatrix) -> DoubleMatrix {
  let (eigenvalues, vectors) = matrix.eigen(vectors: true)
  let positive = eigenvalues.indices.filter { eigenvalues[$0] > 0 }
  let n = matrix.columns
  var values: [Double] = []
  values.reserveCapacity(positive.count * n)
  for row in positive {
    let root = eigenvalues[row].squareRoot()
    values += vectors.values[row * n..<(row + 1) * n].lazy.map { root * $0 }
  }
  return DoubleMatrix(values, rows: positive.count, columns: n)
}
