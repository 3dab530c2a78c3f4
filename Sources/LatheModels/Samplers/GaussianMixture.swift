import Foundation
import LatheKernels
import LatheTensors

/// A mixture of normal distributions with full covariances: p(z) = Σ π N(z; μ, Σ).
///
/// A component's covariance is kept as its Cholesky factor, Σ = L Lᵀ. Fitted as scikit-learn's
/// `GaussianMixture` by default: `GaussianMixture+Fitting.swift`.
public struct GaussianMixture: FittedSampler {
  public static let name = Sampler.Name.gmm
  public static let mostCodes = Int.max
  public static let wantsDrawnCodes = false

  /// π, `[components]`.
  public let weights: [Double]
  /// μ, `[components, latentSize]`.
  public let means: [Double]
  /// L, a lower triangle for each component, `[components, latentSize, latentSize]`.
  public let factors: [Double]

  public var count: Int { weights.count }
  public var latentSize: Int { means.count / weights.count }

  /// log |L| of a component.
  func logVolume(of component: Int) -> Double {
    let m = latentSize
    return (0..<m).reduce(0) { $0 + log(factors[component * m * m + $1 * (m + 1)]) }
  }

  init(weights: [Double], means: [Double], factors: [Double]) {
    self.weights = weights
    self.means = means
    self.factors = factors
  }

  /// A mixture from covariances, `[components, latentSize, latentSize]`; nil when one is not
  /// positive definite.
  public init?(weights: [Double], means: [Double], covariances: [Double]) {
    let m = means.count / weights.count
    var factors: [Double] = []
    for component in weights.indices {
      let covariance = Array(covariances[component * m * m..<(component + 1) * m * m])
      guard let factor = choleskyFactor(covariance, size: m) else { return nil }
      factors += factor
    }
    self.init(weights: weights, means: means, factors: factors)
  }

  public init(reading read: (String) throws -> Tensor) throws {
    func doubles(_ name: String, _ shape: [Int]) throws -> [Double] {
      try Self.checked(try read(name), name, shape).values.map { Double($0) }
    }
    let weights = try doubles("weights", [0])
    guard weights.allSatisfy({ $0 >= 0 }), weights.contains(where: { $0 > 0 }) else {
      throw SamplerError.unusable(Self.name, "weights: expected shares, found others")
    }
    let k = weights.count
    let means = try doubles("means", [k, 0])
    let m = means.count / k
    self.init(weights: weights, means: means, factors: try doubles("factors", [k, m, m]))
  }

  public var tensors: [(name: String, value: Tensor)] {
    let (k, m) = (count, latentSize)
    func tensor(_ values: [Double], _ shape: Shape) -> Tensor {
      Tensor(values.map { Float($0) }, shape: shape)
    }
    return [
      ("weights", tensor(weights, [k])), ("means", tensor(means, [k, m])),
      ("factors", tensor(factors, [k, m, m])),
    ]
  }

  /// z = μ + L ε, ε ~ N(0, I), of a component drawn by its weight.
  public var sampler: Sampler {
    let (m, tensors) = (latentSize, tensors)
    let (means, factors) = (tensors[1].value, tensors[2].value)
    let bounds = weights.reduce(into: [0.0]) { $0.append($0.last! + $1) }.dropFirst()
    return Sampler(.gmm) { count, random in
      let places = random.uniform("component", [count]).values.map { u in
        bounds.firstIndex { Double(u) * bounds.last! < $0 } ?? bounds.endIndex - 1
      }.map { $0 - bounds.startIndex }
      let noise = random.normal("noise", [count, m])
      // Codes of one component are one product; afterwards each goes back to its place.
      let order = places.indices.sorted { (places[$0], $0) < (places[$1], $1) }
      let parts = Dictionary(grouping: order) { places[$0] }.sorted { $0.key < $1.key }.map {
        component, rows in
        let factor = factors.slice(component..<component + 1, axis: 0).reshaped(to: [m, m])
        return matmul(noise.gather(rows), factor, transposeSecond: true)
          + means.slice(component..<component + 1, axis: 0)
      }
      var back = [Int](repeating: 0, count: count)
      for (place, row) in order.enumerated() { back[row] = place }
      return concatenated(parts, axis: 0).gather(back)
    }
  }
}
