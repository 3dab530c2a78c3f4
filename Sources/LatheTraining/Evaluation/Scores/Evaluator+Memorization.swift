import Foundation
import LatheMetrics

extension Evaluator {
  /// Whether generated images are nearer to training images than to as many reference images.
  func addMemorization(
    _ generated: Features?, _ comparison: Comparison?, to evaluation: inout Evaluation
  ) throws {
    guard has(.memorization) else { return }
    guard reference.set.split != .train else {
      return evaluation.leaveOut(
        .memorization, "the reference images are training images: it needs unseen ones")
    }
    guard let training = trainingImages(reference.count, for: .memorization, &evaluation) else {
      return
    }
    let seen = try features(of: training, "training images")
    let unseen = comparison?.real[
      rows: RealImages.drawn(
        training.count, of: reference.count, seed: settings.seed, for: .subset)]
    let toTraining = try work.nearest("training images", to: generated, among: seen, count: 1)
    let toUnseen = try work.nearest("reference images", to: generated, among: unseen, count: 1)
    let ofUnseen = try work.nearest("real images", to: unseen, among: seen, count: 1)
    guard let comparison, let toTraining, let toUnseen, let ofUnseen else { return }
    try evaluation.add(.memorization) {
      let result = try Memorization(
        training: toTraining, unseen: toUnseen, ofUnseen: ofUnseen, count: training.count)
      return memorizationScores(result, comparison, toTraining.count, training)
    }
  }

  private func memorizationScores(
    _ result: Memorization, _ comparison: Comparison, _ count: Int, _ training: RealImages
  ) -> [Score] {
    let samples =
      "\(comparison.drawn(count)); nearest of \(training.description) and of as many reference "
      + "images"
    let error = String(format: "%.2g", result.binomialError)
    return [
      comparison.score(
        "memorization/nearer-to-training", result.nearerToTraining,
        standardDeviation: result.standardError, "in [0, 1], 0.5 if nothing is memorized",
        samples + "; binomial standard error \(error), ± is that over exchanges of the images"),
      comparison.score(
        "memorization/data-copying", result.dataCopying, "z-score C_T, below 0 where copied",
        samples + "; one cell"),
    ]
  }
}
