import LatheMetrics
import LatheModels
import LatheTensors

// Scores that are means over samples.
extension Evaluator {
  /// Squared error per value and structural similarity of reconstructions.
  func addReconstruction(_ images: GeneratedImages, to evaluation: inout Evaluation) throws {
    let similarity = has(.ssim) ? structuralSimilarity(&evaluation) : nil
    guard has(.error) || similarity != nil else { return }
    let values = try reconstructionValues(images, similarity)
    guard let values else { return }
    let samples =
      "reconstructions of \(reference.description), values in [0, 1], as the model makes them"
    if has(.error) {
      try evaluation.add(.error) {
        [
          Score(
            "reconstruction/error", values.mean(every: 2, from: 0),
            unit: "per value, lower is better", samples: samples)
        ]
      }
    }
    if similarity != nil {
      try evaluation.add(.ssim) {
        [
          Score(
            "reconstruction/ssim", values.mean(every: 2, from: 1),
            unit: "at most 1, higher is better", samples: samples + "; Gaussian window 11, σ 1.5")
        ]
      }
    }
  }

  private func structuralSimilarity(_ evaluation: inout Evaluation) -> StructuralSimilarity? {
    do throws(ScoreError) { return try StructuralSimilarity(shape: reference.set.shape) } catch {
      evaluation.leaveOut(.ssim, "\(error)")
      return nil
    }
  }

  /// Two values for each image: its squared error per value, its similarity (0 if not asked for).
  private func reconstructionValues(
    _ images: GeneratedImages, _ similarity: StructuralSimilarity?
  ) throws -> [Double]? {
    let size = Double(reference.set.shape.count)
    return try work.gather("reconstructions", reference.count) { range in
      let originals = self.reference.images(range)
      let reconstructions = images.reconstructed(range)
      let errors = (originals - reconstructions).squared.flattened.sum(1).values
      let similarities =
        similarity.map { $0(originals.values, reconstructions.values) }
        ?? [Double](repeating: 0, count: range.count)
      return zip(errors, similarities).flatMap { [Double($0) / size, $1] }
    }
  }

  /// The negative evidence lower bound, for models that have one.
  func addELBO(_ images: GeneratedImages, to evaluation: inout Evaluation) throws {
    guard has(.elbo) else { return }
    let random = RandomSource(seed: settings.seed).derived("bound")
    let values: [Double]? = try work.gather("ELBO", reference.count) { range in
      let originals = self.reference.images(range)
      let loss = images.model.negativeELBO(originals, using: random.derived(range.lowerBound))
      return loss.map { [Double($0.scalar) * Double(range.count)] } ?? []
    }
    guard let values else { return }
    guard !values.isEmpty else {
      return evaluation.leaveOut(.elbo, "\(type(of: images.model).name) has no ELBO")
    }
    try evaluation.add(.elbo) {
      [
        Score(
          "negative-elbo", values.reduce(0, +) / Double(reference.count),
          unit: "nats per image, lower is better",
          samples:
            "\(reference.description), one posterior draw each, networks in inference mode")
      ]
    }
  }

  /// What training minimises, in inference, for models that have that.
  func addLoss(_ images: GeneratedImages, to evaluation: inout Evaluation) throws {
    guard has(.loss) else { return }
    let random = RandomSource(seed: settings.seed).derived("loss")
    let values: [Double]? = try work.gather("loss", reference.count) { range in
      // Warm-ups of its weights are over: what is compared is the same after all steps.
      let batch = Batch(
        images: self.reference.images(range), random: random.derived(range.lowerBound),
        step: 1 << 40, mode: .inference)
      // Some losses have gradients in them.
      let loss = withGradients { images.model.objective(batch) }
      return loss.map { [Double($0.scalar) * Double(range.count)] } ?? []
    }
    guard let values else { return }
    guard !values.isEmpty else {
      return evaluation.leaveOut(.loss, "\(type(of: images.model).name) has no single loss")
    }
    try evaluation.add(.loss) {
      [
        Score(
          "loss", values.reduce(0, +) / Double(reference.count),
          unit: "what training minimises, lower is better",
          samples: "\(reference.description), in batches of \(SharedWork.chunk), networks in "
            + "inference mode")
      ]
    }
  }
}

extension [Double] {
  fileprivate func mean(every step: Int, from first: Int) -> Double {
    let chosen = stride(from: first, to: count, by: step)
    return chosen.reduce(0) { $0 + self[$1] } / Double(count / step)
  }
}
