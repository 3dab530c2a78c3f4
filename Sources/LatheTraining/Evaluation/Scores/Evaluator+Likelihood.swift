import Foundation
import LatheMetrics
import LatheModels
import LatheTensors

extension Evaluator {
  /// −log p(x), for models that have a density: draws of an image are a function of (seed, number
  /// of the image).
  func addLikelihood(_ model: any Model, to evaluation: inout Evaluation) throws {
    guard has(.likelihood) else { return }
    guard let density = withoutGradients({ model.density }) else {
      let name = type(of: model).name
      return evaluation.leaveOut(.likelihood, "\(name) has no density p(x) that can be computed")
    }
    let random = RandomSource(seed: settings.seed).derived("likelihood")
    // For each image log p(x), and 1 if it is binary.
    let values: [Double]? = try work.gather("likelihood", reference.count) { places in
      places.flatMap { place in
        let image = self.reference.images(place..<place + 1)
        let own = random.derived(self.reference.numbers[place])
        let isBinary = image.values.allSatisfy { $0 == 0 || $0 == 1 }
        return [
          density.estimate(of: image, draws: self.settings.draws, using: own), isBinary ? 1 : 0,
        ]
      }
    }
    guard let values else { return }
    let pairs = stride(from: 0, to: values.count, by: 2).map { (values[$0], values[$0 + 1]) }
    if density.likelihood == .crossEntropy, pairs.contains(where: { $0.1 == 0 }) {
      evaluation.warn(
        "negative-log-likelihood: cross-entropy is a probability of binary images; of grey levels "
          + "it is none, and bounds no likelihood")
    }
    let mean = -pairs.reduce(0) { $0 + $1.0 } / Double(pairs.count)
    try evaluation.add(.likelihood) { likelihoodScores(mean, density) }
  }

  private func likelihoodScores(_ mean: Double, _ density: LogDensity) -> [Score] {
    let samples =
      "\(reference.description); p(x | z) \(density.likelihood.words), prior \(density.prior); "
      + "importance sampling with \(settings.draws) draws of q(z | x) each (seed \(settings.seed))"
    let values = Double(reference.set.shape.count)
    let unit = "per value in [0, 1], lower is better"
    return [
      Score(
        "negative-log-likelihood", mean, unit: "nats per image, lower is better", samples: samples),
      Score("bits-per-dimension", mean / (values * log(2)), unit: unit, samples: samples),
    ]
  }
}

extension Likelihood {
  /// For a protocol.
  fileprivate var words: String {
    switch self {
    case .crossEntropy: "Bernoulli"
    case .fixedVariance: "normal, standard deviation 1"
    case .learnedVariance: "normal, one learned standard deviation"
    }
  }
}
