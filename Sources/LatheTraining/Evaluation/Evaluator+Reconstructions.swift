import LatheMetrics
import LatheTensors

// Scores that are means over samples, and those of the codes.
extension Evaluator {
  /// Squared error per value and structural similarity of reconstructions.
  func addReconstruction(_ made: GeneratedImages, to card: inout Evaluation) throws {
    let shape = reference.set.shape
    let similarity = has(.ssim) ? try? StructuralSimilarity(shape: shape) : nil
    guard has(.error) || similarity != nil else { return }
    let text =
      "reconstructions of \(reference.description), values in [0, 1], as the model makes them"
    let values: [Double]? = try work.gather(reference.count) { range in
      let originals = self.reference.images(range)
      let reconstructions = made.reconstructed(range)
      let errors = (originals - reconstructions).squared.flattened.sum(1).values
      let likenesses =
        similarity.map { $0(originals.values, reconstructions.values) }
        ?? [Double](repeating: 0, count: range.count)
      return zip(errors, likenesses).flatMap { [Double($0) / Double(shape.count), $1] }
    }
    guard let values else { return }
    if has(.error) {
      card.scores.append(
        Score(
          "reconstruction/error", values.mean(every: 2, from: 0),
          unit: "squared, mean over images and values, lower is better", protocolText: text))
    }
    if similarity != nil {
      card.scores.append(
        Score(
          "reconstruction/ssim", values.mean(every: 2, from: 1),
          unit: "at most 1, higher is better",
          protocolText: text + "; Gaussian window 11, σ 1.5"))
    }
  }

  /// The negative evidence bound, for models that have one.
  func addBound(_ made: GeneratedImages, to card: inout Evaluation) throws {
    guard has(.bound) else { return }
    let random = RandomSource(seed: settings.seed).derived("bound")
    let values: [Double]? = try work.gather(reference.count) { range in
      let images = self.reference.images(range)
      let bound = made.model.negativeELBO(images, using: random.derived(range.lowerBound))
      return bound.map { [Double($0.scalar) * Double(range.count)] } ?? []
    }
    guard let values, !values.isEmpty else { return }
    card.scores.append(
      Score(
        "negative-elbo", values.reduce(0, +) / Double(reference.count),
        unit: "nats per image, lower is better",
        protocolText:
          "\(reference.description), one posterior draw each, networks in inference mode"))
  }

  /// Correlation of codes, and how many dimensions are in use.
  func addLatent(_ made: GeneratedImages, to card: inout Evaluation) throws {
    guard has(.latent) else { return }
    let values: [Float]? = try work.gather(reference.count) {
      made.model.encode(self.reference.images($0)).values
    }
    guard let values else { return }
    let codes = Features(values, dimensions: values.count / reference.count)
    let active = made.model.latentMask.map { LatentStatistics.activeCoordinates(of: $0.values) }
    let statistics = try LatentStatistics(FeatureStatistics(of: codes), active: active)
    let text =
      "codes of \(reference.description); "
      + (active == nil ? "all dimensions" : "dimensions with a mask of at least 0.1")
    card.latent = statistics
    card.scores += [
      Score(
        "latent/nac", statistics.meanAbsoluteCorrelation,
        unit: "mean of |correlation| off the diagonal, lower is better", protocolText: text),
      Score(
        "latent/mean-abs-covariance", statistics.meanAbsoluteCovariance,
        unit: "mean of |covariance| off the diagonal", protocolText: text),
      Score(
        "latent/active", Double(statistics.active.count), unit: "dimensions, m_A",
        protocolText: text),
    ]
  }
}

extension [Double] {
  fileprivate func mean(every step: Int, from first: Int) -> Double {
    let chosen = stride(from: first, to: count, by: step)
    return chosen.reduce(0) { $0 + self[$1] } / Double(count / step)
  }
}
