internal import CKernels

// Goals, in order:
// 1. Right for means far above deviations: each band of rows is measured from a guess at its own
//    mean, and bands are joined in double precision.
// 2. The same bits for any number of threads.
// 3. Speed: one pass through memory for the statistics, one for the result.

/// y = γ (x − mean) / √(variance + ε) + β for each channel over the rows, then ReLU if asked.
///
/// Ioffe and Szegedy, "Batch Normalization", 2015, Algorithm 1. Writes `mean`, the biased
/// `variance` and `inverseStandardDeviation` = 1 / √(variance + ε).
/// Shapes: x and y `[rows, channels]`, the others `[channels]`.
public func batchNormalize(
  _ x: Floats, rows: Int, channels: Int, gamma: Floats, beta: Floats, epsilon: Float, relu: Bool,
  mean: MutableFloats, variance: MutableFloats, inverseStandardDeviation: MutableFloats,
  _ y: MutableFloats
) {
  moments(x, rows: rows, channels: channels, mean: mean, variance: variance)
  for c in 0..<channels { inverseStandardDeviation[c] = 1 / (variance[c] + epsilon).squareRoot() }
  normalize(
    x, rows: rows, channels: channels, gamma: gamma, beta: beta, mean: mean,
    inverseStandardDeviation: inverseStandardDeviation, relu: relu, y)
}

/// y = γ (x − mean) · inverseStandardDeviation + β for each channel, then ReLU if asked.
///
/// Shapes: x and y `[rows, channels]`, the others `[channels]`.
public func normalize(
  _ x: Floats, rows: Int, channels: Int, gamma: Floats, beta: Floats, mean: Floats,
  inverseStandardDeviation: Floats, relu: Bool, _ y: MutableFloats
) {
  let scale = Scratch.weights.floats(channels)
  for c in 0..<channels { scale[c] = gamma[c] * inverseStandardDeviation[c] }
  PieceGrid(rows: rows, columns: channels).forEach { _, rows, columns in
    let (c, first) = (columns.lowerBound, rows.lowerBound * channels + columns.lowerBound)
    ck_normalize(
      x + first, channels, rows.count, columns.count, mean + c, scale + c, beta + c, relu ? 1 : 0,
      y + first)
  }
}

/// Gradients of `batchNormalize` with respect to x, γ and β.
///
/// Ioffe and Szegedy, "Batch Normalization", 2015, Section 3. Concretely, with x̂ = (x − mean) ·
/// inverseStandardDeviation: dβ = Σ g, dγ = Σ g x̂, dx = γ · inverseStandardDeviation · (g − dβ /
/// rows − x̂ dγ / rows). Where `rectifiedBeta`, the β of an output after ReLU, is given, g is
/// `gradient` where that output is above 0 and 0 elsewhere; otherwise it is `gradient`. Shapes:
/// gradient, x and dx `[rows, channels]`, the others `[channels]`; dx may be `gradient` itself.
public func batchNormalizeGradient(
  _ gradient: Floats, _ x: Floats, rectifiedBeta: Floats?, rows: Int, channels: Int, gamma: Floats,
  mean: Floats, inverseStandardDeviation: Floats, dx: MutableFloats, dGamma: MutableFloats,
  dBeta: MutableFloats
) {
  normalizationSums(
    gradient, x, rectifiedBeta: rectifiedBeta, rows: rows, channels: channels, gamma: gamma,
    mean: mean, inverseStandardDeviation: inverseStandardDeviation, dGamma: dGamma, dBeta: dBeta)
  normalizationInputGradient(
    gradient, x, rectifiedBeta: rectifiedBeta, rows: rows, channels: channels, gamma: gamma,
    mean: mean, inverseStandardDeviation: inverseStandardDeviation, dGamma: dGamma, dBeta: dBeta,
    totalRows: rows, dx: dx)
}

/// The second part of `batchNormalizeGradient`: dx from dγ and dβ over `totalRows` rows, of which
/// these are some.
public func normalizationInputGradient(
  _ gradient: Floats, _ x: Floats, rectifiedBeta: Floats?, rows: Int, channels: Int, gamma: Floats,
  mean: Floats, inverseStandardDeviation: Floats, dGamma: Floats, dBeta: Floats, totalRows: Int,
  dx: MutableFloats
) {
  let terms = Scratch.weights.floats(3 * channels)
  let (scale, offset, slope) = (terms, terms + channels, terms + 2 * channels)
  for c in 0..<channels {
    scale[c] = gamma[c] * inverseStandardDeviation[c]
    offset[c] = dBeta[c] / Float(totalRows)
    slope[c] = inverseStandardDeviation[c] * dGamma[c] / Float(totalRows)
  }
  PieceGrid(rows: rows, columns: channels).forEach { _, rows, columns in
    let (c, first) = (columns.lowerBound, rows.lowerBound * channels + columns.lowerBound)
    ck_normalize_gradient(
      gradient + first, x + first, channels, rows.count, columns.count, mean + c, scale + c,
      rectifiedBeta.map { $0 + c }, offset + c, slope + c, dx + first)
  }
}

/// Mean and biased variance of each channel. Shapes: x `[rows, channels]`, the others `[channels]`.
public func moments(
  _ x: Floats, rows: Int, channels: Int, mean: MutableFloats, variance: MutableFloats
) {
  let grid = PieceGrid(rows: rows, columns: channels)
  let partials = Scratch.partials.floats(3 * grid.bands * channels)
  grid.forEach { band, rows, columns in
    let c = columns.lowerBound
    let band = partials + 3 * band * channels + c
    ck_moments(
      x + rows.lowerBound * channels + c, channels, rows.count, columns.count, band,
      band + channels, band + 2 * channels)
  }
  for c in 0..<channels {
    let joined = joinBands(partials + c, grid, channels: channels)
    mean[c] = Float(joined.mean)
    variance[c] = Float(joined.squares / Double(max(1, rows)))
  }
}

/// Joins one channel's bands in order: Chan, Golub and LeVeque, "Updating Formulae and a Pairwise
/// Algorithm for Computing Sample Variances", 1979, Eq. 2.1.
private func joinBands(
  _ partials: Floats, _ grid: PieceGrid, channels: Int
) -> (mean: Double, squares: Double) {
  var (count, mean, squares) = (0.0, 0.0, 0.0)
  for band in 0..<grid.bands {
    let part = partials + 3 * band * channels
    let added = Double(min(grid.height, grid.rows - band * grid.height))
    let sum = Double(part[channels])
    let difference = Double(part[0]) + sum / added - mean
    squares += Double(part[2 * channels]) - sum * sum / added
    squares += difference * difference * count * added / (count + added)
    mean += difference * added / (count + added)
    count += added
  }
  return (mean, max(0, squares))
}

/// The first part of `batchNormalizeGradient`: dβ = Σ g and dγ = Σ g (x − mean) ·
/// inverseStandardDeviation.
public func normalizationSums(
  _ gradient: Floats, _ x: Floats, rectifiedBeta: Floats?, rows: Int, channels: Int,
  gamma: Floats, mean: Floats, inverseStandardDeviation: Floats, dGamma: MutableFloats,
  dBeta: MutableFloats
) {
  let scale = Scratch.weights.floats(channels)
  for c in 0..<channels { scale[c] = gamma[c] * inverseStandardDeviation[c] }
  let grid = PieceGrid(rows: rows, columns: channels)
  let partials = Scratch.partials.floats(2 * grid.bands * channels)
  grid.forEach { band, rows, columns in
    let (c, first) = (columns.lowerBound, rows.lowerBound * channels + columns.lowerBound)
    let sums = partials + 2 * band * channels + c
    ck_gradient_sums(
      gradient + first, x + first, channels, rows.count, columns.count, mean + c, scale + c,
      rectifiedBeta.map { $0 + c }, sums, sums + channels)
  }
  for c in 0..<channels {
    let (sum, product) = sumBands(partials + c, grid.bands, channels: channels)
    dBeta[c] = Float(sum)
    dGamma[c] = Float(product * Double(inverseStandardDeviation[c]))
  }
}

/// One channel's two sums over the bands, in order.
private func sumBands(_ partials: Floats, _ bands: Int, channels: Int) -> (Double, Double) {
  var (sum, product) = (0.0, 0.0)
  for band in 0..<bands {
    sum += Double(partials[2 * band * channels])
    product += Double(partials[(2 * band + 1) * channels])
  }
  return (sum, product)
}
