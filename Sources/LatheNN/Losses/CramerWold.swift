import Foundation
import LatheFiles
import LatheTensors

/// Squared Cramer–Wold distance between a sample, smoothed, and N(0, I): the L² distance of their
/// projections onto a line, averaged over all lines, in closed form.
///
/// Knop et al., "Cramer-Wold Auto-Encoder", JMLR 21, 2020, Theorem 3, with the approximation of its
/// Eq. 6 for large m, φ(s) ≈ (1 + 4 s / (2 m − 3))^−½, and the width γ = (4 / (3 n))^0.4 of
/// Silverman's rule; times 2 √π, as in the released code. Shape: `[n, m]`, m ≥ 2 → a scalar.
public func cramerWoldDistance(_ codes: Tensor) -> Tensor {
  let (n, m) = (Float(codes.shape[0]), Float(codes.shape[1]))
  require(codes.shape[1] >= 2, "cramerWoldDistance: \(codes.shape), expected 2 dimensions or more")
  let width = pow(4 / (3 * n), 0.4)
  func meanInverseRoot(_ squares: Tensor, _ offset: Float) -> Tensor {
    reciprocal(sqrt(offset + squares / (2 * m - 3))).mean()
  }
  let within = meanInverseRoot(squaredDistances(codes, codes), width)
  let across = meanInverseRoot(codes.squared.sum(1), width + 0.5)
  return 1 / (1 + width).squareRoot() + within - 2 * across
}
